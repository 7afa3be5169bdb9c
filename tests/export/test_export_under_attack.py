"""Exports under load and under attack: one sentence for each bad request, right answers else."""

import collections
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from support import cascade_runs, command_line, hostile
from support.rows import answer

from export.clients import in_process
from export.saved_model import archive, examples, published
from trainers.run.trained import restored

ATTACK_SECONDS = 20
"""The longest that a refusal may take, on a machine that is busy."""


def attacked(signatures, endpoints, attacks) -> collections.Counter:
    """Sends attacks, and returns how many were refused by the name of their input, by endpoint.

    Honest requests have the same answers afterwards as before.
    """
    plain = {name: examples.rows(endpoint, 2) for name, endpoint in endpoints.items()}
    before = {name: answer(signatures[name], rows) for name, rows in plain.items()}
    refused = collections.Counter()
    for attack in attacks:
        start = time.perf_counter()
        culprit, sentence = hostile.said(signatures[attack.endpoint], attack.request)
        took = time.perf_counter() - start
        assert took < ATTACK_SECONDS, (attack.endpoint, attack.kind, took)
        # where numbers of rows differ, either of two inputs may be named
        counted = "rows" in attack.kind
        able = endpoints[attack.endpoint].input_names if counted else (attack.culprit,)
        assert culprit in able, (attack.endpoint, attack.kind, attack.culprit, sentence)
        refused[attack.endpoint] += 1
    for name, rows in plain.items():
        for output, value in answer(signatures[name], rows).items():
            np.testing.assert_array_equal(value, before[name][output])
    return refused


def test_some_attacks_are_refused_by_the_name_of_their_input(
    triangle_signatures, triangle_endpoints
):
    some = {name: triangle_endpoints[name] for name in ("complete", "energy", "energy_png")}
    refused = attacked(triangle_signatures, some, hostile.attacks(some)[::2])
    assert set(refused) == set(some)
    assert sum(refused.values()) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["triangle", "digits", "cascade"])
def test_all_attacks_are_refused_by_the_name_of_their_input(
    kind, request, tmp_path, record_property
):
    if kind == "cascade":
        command_line.train(tmp_path / "run", *cascade_runs.DIGITS)
        model = restored(tmp_path / "run").model
    else:
        model = restored(request.getfixturevalue(kind)).model
    archive.write(model, tmp_path / "export")
    signatures = in_process.load(tmp_path / "export").signatures
    endpoints = published.endpoints(model)
    attacks = hostile.attacks(endpoints)
    refused = attacked(signatures, endpoints, attacks)
    assert set(refused) == set(endpoints)
    assert sum(refused.values()) == len(attacks) >= 80
    record_property("attacks", len(attacks))


def load(signatures, endpoints, threads: int, requests: int) -> int:
    """Asks from several threads at once, and returns how many answers were not the single ones'.

    Args:
        signatures: of a SavedModel in this process.
        endpoints: by name.
        threads: that ask at once.
        requests: of each.
    """
    names = ["complete", "energy", "reconstruct", "generate"]
    rows = {name: examples.rows(endpoints[name], 8) for name in names}
    for known in rows.values():
        if "image" in known:
            noise = np.random.default_rng(0).uniform(-1, 1, known["image"].shape)
            known["image"] = noise.astype(np.float32)
    single = {name: _one_by_one(signatures[name], rows[name]) for name in names}
    wrong = collections.Counter()
    lock = threading.Lock()

    def ask(number: int) -> None:
        draws = np.random.default_rng(number)
        for _ in range(requests):
            name = names[draws.integers(len(names))]
            chosen = draws.integers(8, size=draws.integers(1, 5))
            try:
                found = answer(signatures[name], {k: v[chosen] for k, v in rows[name].items()})
                same = all(
                    np.allclose(value, single[name][output][chosen], rtol=1e-4, atol=1e-4)
                    for output, value in found.items()
                )
            except tf.errors.OpError:
                same = False
            with lock:
                wrong["wrong" if not same else "right"] += 1

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong.total() == threads * requests
    return wrong["wrong"]


def _one_by_one(signature, rows) -> dict[str, np.ndarray]:
    """Returns the answers to rows that are asked for one by one."""
    count = len(next(iter(rows.values())))
    found = [answer(signature, {k: v[i : i + 1] for k, v in rows.items()}) for i in range(count)]
    return {name: np.concatenate([row[name] for row in found]) for name in found[0]}


def test_a_few_threads_get_the_answers_of_single_requests(triangle_signatures, triangle_endpoints):
    assert load(triangle_signatures, triangle_endpoints, threads=4, requests=5) == 0


@pytest.mark.slow
def test_eight_threads_get_the_answers_of_single_requests(triangle_signatures, triangle_endpoints):
    assert load(triangle_signatures, triangle_endpoints, threads=8, requests=200) == 0
