"""The type checker behind the shapes that tests check at run time."""

from beartype import BeartypeConf, beartype

# an int passes where a float is expected, as it does for type checkers that only read the source
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
