"""Which tests one worker runs together, and in which order workers take them."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("conformance", "export")
"""Folders of tests that one worker runs: their files share models and exports."""

ORDER = (*TOGETHER, "trainers", "experiments", "algorithms", "packaging", "samplers", "evaluation")
"""Folders that take long come first, so that no worker is left with one of them at the end."""


class Sharing(LoadScopeScheduling):
    """Gives a worker the tests of a file, or of a folder, in the order in which they are."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = folder_of(path)
        return folder if folder in TOGETHER else path


def folder_of(path: str) -> str:
    """Returns the folder of tests of a file, such as `export` of tests/export/test_client.py."""
    folders = path.split("/")[1:-1]
    return folders[0] if folders else ""


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Returns tests in the order of `ORDER`; those of other folders come last."""

    def place(item: pytest.Item) -> int:
        folder = folder_of(item.nodeid.partition("::")[0])
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    return sorted(items, key=place)
