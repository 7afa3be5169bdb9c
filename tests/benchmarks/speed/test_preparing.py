"""Files for the benchmark of preparation are as stated; variants of an update differ."""

from PIL import Image

from benchmarks.speed import large_data, preparing, update_memory


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
