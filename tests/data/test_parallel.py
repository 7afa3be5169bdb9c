"""Work by threads: in order, bounded, and with errors in the turn of their items."""

import threading
import time
import warnings

import pytest

from tfgen.data import parallel, silence


def test_results_come_in_the_order_of_the_items():
    found = parallel.in_order(lambda n: time.sleep(0.002 * (n % 3)) or n * n, range(30), workers=4)
    assert list(found) == [n * n for n in range(30)]


def test_several_threads_work_at_once():
    """Two pieces of work wait for each other; one thread alone would never pass."""
    barrier = threading.Barrier(2, timeout=20)
    assert len(list(parallel.in_order(lambda n: barrier.wait(), range(4), workers=2))) == 4


def test_few_items_are_taken_ahead():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    stream = parallel.in_order(lambda n: n, items(), workers=2)
    for done in range(50):
        assert next(stream) == done
        assert len(taken) <= done + 2 * parallel.WAITING
    stream.close()


def test_an_error_comes_in_the_turn_of_its_item():
    def work(number):
        if number == 5:
            raise ValueError("five")
        return number

    stream = parallel.in_order(work, range(100), workers=3)
    assert [next(stream) for _ in range(5)] == list(range(5))
    with pytest.raises(ValueError, match="five"):
        next(stream)


def test_warnings_are_silent_while_any_thread_is_inside_and_as_before_afterwards():
    """Warnings are errors here."""
    before = list(warnings.filters)

    def work(number):
        with silence.WARNINGS:
            time.sleep(0.001 * (number % 4))
            warnings.warn("of a decoder", stacklevel=1)
        return number

    assert list(parallel.in_order(work, range(60), workers=6)) == list(range(60))
    assert warnings.filters == before
    with pytest.raises(UserWarning):
        warnings.warn("of another", stacklevel=1)
