"""Commands that train, measure and write the papers' tables and figures into docs/."""

import trainers  # noqa: F401  its settings of TensorFlow's start-up hold here too
