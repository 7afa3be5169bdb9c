"""Prepared data: equal to what is read into memory, opened at once, resumed after a kill."""

import fcntl
import hashlib
import json
import os
import threading

import numpy as np
import pytest
from PIL import Image

from tfgen import random
from tfgen.data import (
    decode,
    description,
    examples,
    folders,
    parallel,
    partial,
    request,
    sources,
    store,
)
from tfgen.data.contents import Contents
from tfgen.data.stored import Stored
from tfgen.errors import UserError

SIZE = (6, 5)
COUNT = 12


class KilledError(Exception):
    """Stands for a kill."""


def write_pictures(folder, numbers):
    """Writes pictures of noise, in two classes and two splits."""
    for number in numbers:
        place = folder / ("test" if number % 4 == 0 else "train") / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (13, 11, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{number:02}.png")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Returns a folder of pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "folder"
    write_pictures(folder, range(COUNT))
    return folder


def load(name, place, **options):
    """Returns a prepared data set."""
    return examples.load(str(name), data_dir=str(place), stored_always=True, **options)


def the_store(place):
    """Returns the directory of the only store."""
    (found,) = (place / "prepared").iterdir()
    return found


def batches(part, count=5):
    """Returns some batches of a part."""
    stream = part.batches(4, random.root(3), start=2).take(count)
    return [batch[key] for batch in stream.as_numpy_iterator() for key in sorted(batch)]


def killed_after(count):
    """Returns a progress that ends the process's work after some pictures."""

    def progress(coming):
        for number, picture in enumerate(coming):
            if number == count:
                raise KilledError
            yield picture

    return progress


def killed_before_the_second_split():
    """Returns a progress that does so when the pictures of the second split are asked for."""
    asked = []

    def progress(coming):
        asked.append(coming)
        if len(asked) == 2:
            raise KilledError
        return iter(coming)

    return progress


def decoded(monkeypatch):
    """Returns a list that the files are noted in which are decoded from now on."""
    noted, image = [], decode.Decoder.image

    def noting(self, path, content):
        noted.append(path.name)
        return image(self, path, content)

    monkeypatch.setattr(decode.Decoder, "image", noting)
    return noted


# what is prepared


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patch_size": 3},
        {"missing": "half:left"},
        {"max_images": 6},
        {"validation": 3},
        {"channels": 1, "max_images": 100},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
def test_prepared_pictures_are_those_read_into_memory_bit_for_bit(pictures, tmp_path, options):
    options = {"image_size": SIZE, "test_fraction": 0.3, **options}
    kept = load(f"folder:{pictures}", tmp_path, **options)
    held = examples.load(f"folder:{pictures}", **options)
    assert isinstance(kept.train.image, Stored)
    assert isinstance(held.train.image, np.ndarray)
    for ours, theirs in zip(kept[:2], held[:2], strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)
        np.testing.assert_array_equal(ours.label, theirs.label)
        np.testing.assert_array_equal(ours.shown(2), theirs.shown(2))
        np.testing.assert_array_equal(ours.mean(), theirs.mean())
        for a, b in zip(batches(ours), batches(theirs), strict=True):
            np.testing.assert_array_equal(a, b)
    assert description.facts(kept) == description.facts(held)


def test_floats_are_prepared_as_float32(tmp_path):
    image = np.random.default_rng(0).uniform(-1, 1, (20, 4, 3, 1))
    np.savez(tmp_path / "a.npz", image=image, label=np.arange(20))
    name = f"npz:{tmp_path / 'a.npz'}"
    kept, held = load(name, tmp_path), examples.load(name)
    assert (kept.train.image.dtype, len(kept.train)) == (np.float32, 18)
    for a, b in zip(batches(kept.train), batches(held.train), strict=True):
        np.testing.assert_array_equal(a, b)
    assert description.facts(kept) == description.facts(held)


def test_a_split_of_which_some_pictures_have_no_label_has_none(tmp_path, monkeypatch):
    found = [(np.full((2, 2), number, np.uint8), number or None) for number in range(5)]
    monkeypatch.setattr(sources, "read", lambda *given: Contents({"all": iter(found)}))
    assert load("unlabelled", tmp_path, test_fraction=0).train.label is None


def test_a_store_says_what_it_holds(pictures, tmp_path):
    load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    place = the_store(tmp_path)
    found = json.loads((place / store.FILE).read_text(encoding="utf-8"))
    entry = found["splits"]["train"]
    raw = (place / "train.raw").read_bytes()
    assert (entry["shape"], entry["dtype"], entry["labelled"]) == ([9, *SIZE, 3], "uint8", True)
    assert len(raw) == 9 * 6 * 5 * 3
    assert entry["sha256"] == hashlib.sha256(raw).hexdigest()
    assert (found["class_names"], found["sizes"]) == (["a", "b"], {"train": 9, "test": 3})
    assert found["options"]["dataset"] == f"folder:{pictures}"
    assert {path.name for path in place.iterdir()} == {
        *("store.json", "files.json", "lock"),
        *("train.raw", "train.labels.npy", "test.raw", "test.labels.npy"),
    }


def test_small_data_are_read_into_memory_and_leave_nothing(pictures, tmp_path):
    found = examples.load(f"folder:{pictures}", data_dir=str(tmp_path))
    assert isinstance(found.train.image, np.ndarray)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("size", "counts", "expected"),
    [(2**24, {"all": 1000}, True), (2**24 + 1, {}, False), (0, {"a": 600, "b": 401}, False)],
)
def test_what_is_small_is_said_by_bytes_and_count(size, counts, expected):
    assert store.is_small(Contents({}, sizes=counts, bytes=size)) is expected


def test_large_data_are_prepared_without_being_asked(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SMALL_COUNT", COUNT - 1)
    found = examples.load(f"folder:{pictures}", data_dir=str(tmp_path), image_size=SIZE)
    assert isinstance(found.train.image, Stored)


@pytest.mark.parametrize("name", ["digits", "textures/brick"])
def test_embedded_data_are_never_stored(name, tmp_path):
    load(name, tmp_path)
    assert not list(tmp_path.iterdir())


# the second start


def test_the_second_start_decodes_nothing(pictures, tmp_path, monkeypatch):
    first = load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    before = description.facts(first)
    monkeypatch.setattr(folders, "read", None)
    # found though it is small, and though nobody asks for it
    again = examples.load(f"folder:{pictures}", data_dir=str(tmp_path), image_size=SIZE)
    assert again.description == first.description
    assert description.facts(again) == before


def test_facts_are_computed_once(pictures, tmp_path, monkeypatch):
    first = load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    before = description.fingerprint(first), first.train.mean()
    monkeypatch.setattr(Stored, "__getitem__", None)
    again = load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    assert description.fingerprint(again) == before[0]
    np.testing.assert_array_equal(again.train.mean(), before[1])


@pytest.mark.parametrize("change", ["pixels", "new", "gone", "option"])
def test_other_files_and_other_options_have_a_store_of_their_own(tmp_path, change):
    folder, options = tmp_path / "pictures", {"image_size": SIZE}
    write_pictures(folder, range(COUNT))
    first = load(f"folder:{folder}", tmp_path, **options)
    if change == "pixels":  # of the same size in bytes, at another time
        path = folder / "train" / "a" / "02.png"
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))
    elif change == "new":
        write_pictures(folder, [COUNT + 1])
    elif change == "gone":
        (folder / "train" / "a" / "02.png").unlink()
    else:
        options["channels"] = 1
    second = load(f"folder:{folder}", tmp_path, **options)
    assert first.train.image.path != second.train.image.path
    assert len(first.train.image[:]) == 9  # still whole
    assert len(second.train) == {"new": 10, "gone": 8}.get(change, 9)


def test_a_split_is_prepared_when_it_is_wanted(tmp_path):
    folder = tmp_path / "pictures"
    write_pictures(folder, range(COUNT))
    (folder / "val" / "a").mkdir(parents=True)
    Image.fromarray(np.zeros((13, 11, 3), np.uint8)).save(folder / "val" / "a" / "0.png")
    load(f"folder:{folder}", tmp_path, image_size=SIZE)
    assert not (the_store(tmp_path) / "validation.raw").exists()
    found = load(f"folder:{folder}", tmp_path, image_size=SIZE, validation=1)
    assert (the_store(tmp_path) / "validation.raw").exists()
    assert found.test.as_float().max() == -1


def test_a_damaged_store_is_refused_with_the_cure(pictures, tmp_path):
    load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    place = the_store(tmp_path)
    os.truncate(place / "train.raw", 100)
    with pytest.raises(UserError, match=r"expected 810 bytes .* found 100 .*; remove "):
        load(f"folder:{pictures}", tmp_path, image_size=SIZE)
    (place / store.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"expected .*store.json to be whole"):
        load(f"folder:{pictures}", tmp_path, image_size=SIZE)


@pytest.mark.parametrize("other", ["train/2", "test/0"])
def test_a_depth_that_was_evident_before_a_kill_stays_so(tmp_path, monkeypatch, other):
    """The pictures after it would be taken for ones of another depth."""
    monkeypatch.setattr(partial, "SYNC_BYTES", 1)
    monkeypatch.setattr(parallel, "WAITING", 1)
    monkeypatch.setattr(parallel, "threads", lambda: 1)
    for name in ("train/0", "train/1", "train/2", "test/0"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        white = 65535 if name == other else 4000
        Image.fromarray(np.full((8, 8), white, np.uint16)).save(path)
    name = f"folder:{tmp_path / 'pictures'}"
    killed = killed_after(1) if other == "train/2" else killed_before_the_second_split()
    with pytest.raises(KilledError):
        load(name, tmp_path, progress=killed)
    with pytest.raises(UserError, match="--bit_depth=16"):
        load(name, tmp_path)


def test_what_was_evident_is_said_by_later_starts_too(tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(tmp_path / "pictures" / "0.png")
    for _ in range(2):
        found = load(f"folder:{tmp_path / 'pictures'}", tmp_path)
        assert found.description.notes == ("samples of 16 bits taken for 12 bits",)


# kills, and others that prepare the same


@pytest.mark.parametrize("after", [0, 5, 8])
def test_preparation_resumes_where_it_was_killed(pictures, tmp_path, monkeypatch, after):
    monkeypatch.setattr(partial, "SYNC_BYTES", 1)
    name = f"folder:{pictures}"
    with pytest.raises(KilledError):
        load(name, tmp_path, image_size=SIZE, progress=killed_after(after))
    noted = decoded(monkeypatch)
    found = load(name, tmp_path, image_size=SIZE)
    train = sorted(path.name for path in pictures.rglob("train/a/*.png"))
    train += sorted(path.name for path in pictures.rglob("train/b/*.png"))
    tested = [path.name for path in pictures.rglob("test/*/*.png")]
    assert sorted(noted) == sorted([*train[after:], *tested])
    expected = examples.load(name, image_size=SIZE)
    np.testing.assert_array_equal(found.train.image, expected.train.image)
    np.testing.assert_array_equal(found.train.label, expected.train.label)
    raw = the_store(tmp_path) / "train.raw"
    entry = json.loads((the_store(tmp_path) / store.FILE).read_text())["splits"]["train"]
    assert entry["sha256"] == hashlib.sha256(raw.read_bytes()).hexdigest()


def test_what_the_journal_does_not_hold_is_written_again(pictures, tmp_path, monkeypatch):
    """A kill may leave more, or by a failing disk less, than the journal says."""
    name = f"folder:{pictures}"
    monkeypatch.setattr(partial, "SYNC_BYTES", 1)
    with pytest.raises(KilledError):
        load(name, tmp_path, image_size=SIZE, progress=killed_after(4))
    raw = the_store(tmp_path) / "train.raw.partial"
    with raw.open("ab") as file:
        file.write(b"torn")
    expected = examples.load(name, image_size=SIZE).train.image
    with pytest.raises(KilledError):
        load(name, tmp_path, image_size=SIZE, progress=killed_after(2))
    os.truncate(raw, 10)
    np.testing.assert_array_equal(load(name, tmp_path, image_size=SIZE).train.image, expected)


def test_arrays_resume_too(tmp_path, monkeypatch):
    monkeypatch.setattr(partial, "SYNC_BYTES", 1)
    image = np.random.default_rng(0).uniform(-1, 1, (20, 4, 3, 1)).astype(np.float32)
    np.savez(tmp_path / "a.npz", image=image)
    name = f"npz:{tmp_path / 'a.npz'}"
    with pytest.raises(KilledError):
        load(name, tmp_path, progress=killed_after(7))
    found = load(name, tmp_path, test_fraction=0)
    np.testing.assert_array_equal(found.train.image, image)


def test_one_process_prepares_and_the_other_waits_and_says_so(pictures, tmp_path, monkeypatch):
    name, said, found = f"folder:{pictures}", threading.Event(), []
    with pytest.raises(KilledError):
        load(name, tmp_path, image_size=SIZE, progress=killed_after(4))
    lock = (the_store(tmp_path) / "lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    words = []

    def say(sentence):
        words.append(sentence)
        said.set()

    def work():
        found.append(load(name, tmp_path, image_size=SIZE, say=say))

    thread = threading.Thread(target=work)
    thread.start()
    assert said.wait(30)
    assert not found
    fcntl.flock(lock, fcntl.LOCK_UN)
    lock.close()
    thread.join(30)
    assert len(found[0].train) == 9
    assert words == [f"another process prepares {name}; waiting for it"]


def test_a_disk_without_room_is_said_before_the_pictures_are_written(
    pictures, tmp_path, monkeypatch
):
    usage = partial.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(partial.shutil, "disk_usage", lambda place: usage._replace(free=100))
    with pytest.raises(UserError, match=r"data_dir: expected 0\.0 GiB of room"):
        load(f"folder:{pictures}", tmp_path, image_size=SIZE)


def test_pictures_of_several_shapes_are_refused(tmp_path):
    for side in (4, 5):
        Image.fromarray(np.zeros((side, 4), np.uint8)).save(tmp_path / f"{side}.png")
    with pytest.raises(UserError, match="all pictures of one shape"):
        load(f"folder:{tmp_path}", tmp_path / "cache")


def test_the_place_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("TFGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert request.root(None) == tmp_path / "x" / "tfgen" / "prepared"
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "y"))
    assert request.root(None) == tmp_path / "y" / "prepared"
    assert request.root(str(tmp_path)) == tmp_path / "prepared"
