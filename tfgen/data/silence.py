"""Silences the warnings of decoders, which threads may run."""

import threading
import warnings


class Silence:
    """Silences warnings while any thread is inside, where each alone would undo the others' work.

    The filters of warnings belong to the whole process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.__exit__(None, None, None)


WARNINGS = Silence()
"""The one of this process."""
