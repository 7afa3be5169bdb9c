"""Ends a training where the energy gap changes its sign, before the last update of its flags."""

from collections.abc import Sequence

from tfgen.errors import UserError
from trainers.run.metrics import Row

GAP = "energy_gap"


def check(updates: int, log_every: int, logged: Sequence[str]) -> None:
    """Raises UserError unless the gap can be watched over windows of so many updates.

    Args:
        updates: of a window.
        log_every: updates of a logging interval.
        logged: names of the numbers that the algorithm logs.
    """
    if updates % log_every:
        raise UserError(
            f"--stop_at_gap: expected a multiple of --log_every={log_every} and found {updates}"
        )
    if GAP not in logged:
        raise UserError(
            f"--stop_at_gap: expected an algorithm that logs {GAP} and found one that logs "
            f"{', '.join(logged)}"
        )


def is_reached(rows: Sequence[Row], intervals: int, last_growth: int) -> bool:
    """Tells whether the mean gap of the last window has come to zero or below.

    Data are then no less likely than the chains: the net has learned what their length of sampling
    can show, and later updates drive the two apart again.

    Args:
        rows: of training, in order.
        intervals: rows of a window, at least 1.
        last_growth: the update at which the net got its newest layer; rows before do not count.
    """
    window = [row for row in rows if row["step"] > last_growth][-intervals:]
    if len(window) < intervals or any(GAP not in row for row in window):
        return False
    return sum(row[GAP] for row in window) <= 0
