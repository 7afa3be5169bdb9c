"""Synthetic shards are what TensorFlow Datasets and our own reader expect."""

import pytest

from benchmarks.speed import large_data

pytest.importorskip("tensorflow_datasets")


def test_shards_are_read_as_the_data_set_whose_name_they_have(tmp_path, monkeypatch):
    from tfgen.data import tfds

    monkeypatch.setattr(large_data, "BANK", 4)
    monkeypatch.setattr(large_data, "SHARD", 60)
    large_data.write("downsampled_imagenet/32x32", tmp_path, 130, side=8)
    found = tfds.read("downsampled_imagenet/32x32", str(tmp_path), None, known=[])
    assert found.sizes == {"train": 130, "validation": 1}
    pictures = [picture for picture, _ in found.splits["train"]]
    assert {picture.shape for picture in pictures} == {(8, 8, 3)}
    assert 1 < len({picture.tobytes() for picture in pictures}) <= 4


def test_an_ended_process_has_no_memory():
    assert large_data.own_memory(2**22 + 1) == 0.0
