"""Files for the benchmarks of data are as stated; variants of an update differ."""

from PIL import Image

from benchmarks.speed import large_data, preparing, stored, update_memory


def test_files_are_jpegs_of_the_stated_size(tmp_path, monkeypatch):
    monkeypatch.setattr(large_data, "BANK", 2)
    monkeypatch.setattr(preparing, "FOLDER", 3)
    preparing.write(tmp_path, 5)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg"))
    assert files == [f"{number // 3:05d}/{number:08d}.jpg" for number in range(5)]
    with Image.open(tmp_path / files[0]) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (178, 218)


def test_variants_of_an_update_differ_in_what_they_say():
    plain = update_memory.algorithm("plain", 0.02, 4)
    parts = update_memory.algorithm("micro-batches", 0.02, 4)
    assert (plain.accumulate, parts.accumulate) == (1, 4)
    assert plain.nets["generator"].compute_dtype == "float32"


def test_memory_is_measured_of_a_training_from_a_file(tmp_path):
    path = tmp_path / "pictures.raw"
    with path.open("wb") as file:
        file.truncate(110 * 64 * 64 * 3)
    seconds, before, after, last, most = stored.measured(path, steps=1)
    assert seconds > 0
    assert 0 < before < most
    assert 0 < after < most
    assert 0 < last <= most
