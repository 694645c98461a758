"""colorization.datasets: every layout read back, every kind of damage named, nothing in a pickle run."""

import io
import os
import pickle
import re
import struct
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorization import datasets
from colorization.datasets import PALETTES, SYNTHETIC_CLASSES, Dataset, Images, Splits, cifar, load, split, synthetic
from colorization.core.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared/data/cifar10/cifar-10-python.tar.xz"
PHOTOS = ROOT.parent / "shared/data/photos/imagenette-128.tar.xz"


# --- tiny files in the published layouts ----------------------------------------------------------------


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 and the numpy of its time wrote: byte strings, and dtype(code, 0, 1)."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_text(self, text):
        raw = text.encode("latin-1") if isinstance(text, str) else text
        self.write(b"T" + struct.pack("<i", len(raw)) + raw)
        self.memoize(text)

    def save_flag(self, flag):
        self.save_long(int(flag))

    dispatch[str] = dispatch[bytes] = save_text
    dispatch[bool] = save_flag


def python2_dumps(value) -> bytes:
    out = io.BytesIO()
    Python2Pickler(out, protocol=2).dump(value)
    return out.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def python3_dumps(value) -> bytes:
    return pickle.dumps(value, protocol=2)


def names_of(number: int) -> tuple[str, ...]:
    return tuple(f"class_{index}" for index in range(number))


def sample(number: int = 10, rows: int = 20) -> Dataset:
    """A random set of five batches of ``rows`` images."""
    rng = np.random.default_rng(number)

    def part(count):
        labels = rng.integers(number, size=count)
        labels[:2] = 0, number - 1
        return Images(rng.integers(256, size=(count, 32, 32, 3), dtype=np.uint8), labels)

    return Dataset(f"cifar{number}", part(5 * rows), part(rows), names_of(number))


def planes(part: Images) -> np.ndarray:
    return part.images.transpose(0, 3, 1, 2).reshape(len(part), -1)


def batches(dataset: Dataset, fives: str, one: str) -> dict[str, Images]:
    """The parts of a set by file name: CIFAR-10 has five training files, CIFAR-100 one."""
    if len(dataset.classes) > 10:
        return {one: dataset.train}
    images, labels = np.split(dataset.train.images, 5), np.split(dataset.train.labels, 5)
    return {fives.format(i + 1): Images(images[i], labels[i]) for i in range(5)}


def python_files(dataset: Dataset, dumps=python2_dumps) -> dict[str, bytes]:
    hundred = len(dataset.classes) > 10
    key = b"fine_labels" if hundred else b"labels"
    parts = batches(dataset, "data_batch_{}", "train") | {"test" if hundred else "test_batch": dataset.test}
    files = {
        name: dumps({b"data": planes(part), key: part.labels.tolist(), b"batch_label": b"some"})
        for name, part in parts.items()
    }
    names = [name.encode() for name in dataset.classes]
    if hundred:
        return files | {"meta": dumps({b"fine_label_names": names, b"coarse_label_names": names[:20]})}
    return files | {"batches.meta": dumps({b"label_names": names, b"num_vis": 3072})}


def binary_files(dataset: Dataset) -> dict[str, bytes]:
    hundred = len(dataset.classes) > 10
    parts = batches(dataset, "data_batch_{}.bin", "train.bin")
    parts["test.bin" if hundred else "test_batch.bin"] = dataset.test

    def content(part):
        columns = [part.labels // 5] * hundred + [part.labels]
        return np.column_stack([*columns, planes(part)]).astype(np.uint8).tobytes()

    text = ("\n".join(dataset.classes) + "\n\n").encode()
    names = "fine_label_names.txt" if hundred else "batches.meta.txt"
    return {name: content(part) for name, part in parts.items()} | {names: text}


def folder_of(files: dict[str, bytes], path: Path) -> Path:
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def tar_of(files: dict[str, bytes], path: Path, inside: str = "some-folder/") -> Path:
    with tarfile.open(path, f"w:{path.suffix[1:].replace('tgz', 'gz').replace('tar', '')}") as tar:
        link = tarfile.TarInfo(f"{inside}test_batch")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name, content in {"readme.html": b"<html>", **files}.items():
            member = tarfile.TarInfo(inside + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def assert_same(one: Dataset, other: Dataset) -> None:
    assert one.classes == other.classes
    for split_name in ("train", "test"):
        a, b = getattr(one, split_name), getattr(other, split_name)
        assert a.images.dtype == np.uint8
        assert a.labels.dtype == np.int64
        np.testing.assert_array_equal(a.images, b.images)
        np.testing.assert_array_equal(a.labels, b.labels)


def sentence_of(call, *arguments, **options) -> str:
    """The one sentence of the InputError that the call must raise."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


WRITERS = {
    "python 2": lambda dataset: python_files(dataset),
    "python 3": lambda dataset: python_files(dataset, python3_dumps),
    "binary": binary_files,
}


@pytest.mark.parametrize("container", ["folder", "set.tar", "set.tar.gz", "set.tgz", "set.tar.xz"])
@pytest.mark.parametrize("number", [10, 100])
@pytest.mark.parametrize("writer", WRITERS)
def test_published_layouts_come_back_bit_for_bit(tmp_path, writer, number, container):
    dataset = sample(number)
    files = WRITERS[writer](dataset)
    path = folder_of(files, tmp_path / "f") if container == "folder" else tar_of(files, tmp_path / container)
    loaded = load(path, train_limit=3)  # a published set comes whole
    assert loaded.name == f"cifar{number}"
    assert_same(loaded, dataset)


@settings(max_examples=15, deadline=None)
@given(
    labels=hnp.arrays(np.int64, st.integers(1, 6), elements=st.integers(0, 9)),
    noise=st.integers(0, 2**32 - 1),
)
def test_binary_round_trip(tmp_path_factory, labels, noise):
    images = np.random.default_rng(noise).integers(256, size=(len(labels), 32, 32, 3), dtype=np.uint8)
    part = Images(images, labels)
    five = Images(np.concatenate([images] * 5), np.concatenate([labels] * 5))
    dataset = Dataset("cifar10", five, part, names_of(10))
    assert_same(load(folder_of(binary_files(dataset), tmp_path_factory.mktemp("b") / "f")), dataset)


def test_pickled_arrays_of_other_kinds(tmp_path):
    """Column order, and labels as an array or a list of numpy numbers."""
    dataset = sample()
    for labels in (dataset.test.labels.astype(">i4"), list(dataset.test.labels)):
        content = python3_dumps({b"data": np.asfortranarray(planes(dataset.test)), b"labels": labels})
        files = python_files(dataset) | {"test_batch": content}
        assert_same(load(folder_of(files, tmp_path / type(labels).__name__)), dataset)


def test_other_size(tmp_path):
    path = folder_of(binary_files(sample()), tmp_path / "f")
    assert load(path, image_size=48).train.images.shape == (100, 48, 48, 3)
    small = load(path, image_size=16).test.images
    whole = sample().test.images.reshape(20, 16, 2, 16, 2, 3).mean((2, 4))
    assert np.abs(small - whole).max() <= 1  # INTER_AREA is the mean of the pixels


def test_prepared_round_trip(tmp_path):
    dataset = sample(100)
    datasets.write(dataset, tmp_path / "set")
    assert_same(load(tmp_path / "set"), dataset)
    assert_same(load(str(tmp_path / "set")), dataset)
    smaller = sample(10, rows=4)
    datasets.write(smaller, tmp_path / "set")  # replaces a prepared set, and nothing else
    assert_same(load(tmp_path / "set"), smaller)
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    assert "thesis" not in sentence_of(datasets.write, dataset, tmp_path / "set")
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]


def test_names_are_looked_up_in_the_data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path))
    assert "python data/prepare.py cifar10" in sentence_of(load, "cifar10")
    datasets.write(sample(), tmp_path / "cifar10")
    assert_same(load("cifar10"), sample())
    monkeypatch.delenv("COLORIZATION_DATA")
    assert datasets.data_root() == ROOT / "data"


def test_importing_costs_neither_tensorflow_nor_keras():
    code = "import sys, colorization.datasets; print({'tensorflow', 'keras', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- pickles that would run something -------------------------------------------------------------------


class Evil:
    """A pickle of it calls ``function(*arguments)`` when loaded."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Persistent(pickle.Pickler):
    def persistent_id(self, value):
        return "an id" if isinstance(value, str) and value == "persistent" else None


def persistent_dumps(value) -> bytes:
    out = io.BytesIO()
    Persistent(out, protocol=2).dump(value)
    return out.getvalue()


def object_array(*values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


MALICE = {
    "os.system": (lambda shout: {b"data": Evil(os.system, shout)}, f"{os.name}.system"),
    "builtins.eval": (
        lambda shout: {b"data": Evil(eval, f"__import__('os').system({shout!r})")},
        "__builtin__.eval",
    ),
    "nested in a list": (
        lambda shout: {b"labels": [1, [2, {3: Evil(os.system, shout)}]]},
        f"{os.name}.system",
    ),
    "in an object array": (
        lambda shout: {b"data": object_array(Evil(os.system, shout))},
        f"{os.name}.system",
    ),
    "numpy loader": (lambda shout: {b"data": Evil(np.load, shout)}, "numpy.load"),
    "a codec": (lambda shout: {b"data": Evil(__import__("_codecs").encode, "x", "rot13")}, "pickle"),
    "an object array": (lambda shout: {b"data": object_array("a", "b")}, "pickle"),
    "persistent id": (lambda shout: {b"data": "persistent"}, "persistent id"),
}


@pytest.mark.parametrize("name", MALICE)
def test_malicious_pickles_are_refused_and_nothing_runs(tmp_path, name):
    make, expected = MALICE[name]
    proof = tmp_path / "it ran"
    content = persistent_dumps(make(f"touch '{proof}'"))
    path = folder_of(python_files(sample()) | {"data_batch_3": content}, tmp_path / "f")
    sentence = sentence_of(load, path)
    assert "data_batch_3" in sentence
    assert expected in sentence
    assert not proof.exists()


def test_the_malicious_pickles_would_run(tmp_path):
    proof = tmp_path / "it ran"
    pickle.loads(pickle.dumps(MALICE["os.system"][0](f"touch '{proof}'"), protocol=2))
    assert proof.exists()


# --- broken data ----------------------------------------------------------------------------------------


def changed(name: str, change):
    """Break one file of a Python layout: ``change`` maps its content."""

    def make(tmp_path):
        files = python_files(sample())
        return folder_of(files | {name: change(files[name])}, tmp_path / "f")

    return make


def batch(**entries):
    """Break data_batch_2: other entries in a well-formed pickle."""
    good = {b"data": np.zeros((20, 3072), np.uint8), b"labels": [0] * 20}
    content = {**good, **{key.encode(): value for key, value in entries.items()}}
    return changed("data_batch_2", lambda _: python2_dumps(content))


def binary(change):
    def make(tmp_path):
        files = binary_files(sample())
        return folder_of(files | {"test_batch.bin": change(files["test_batch.bin"])}, tmp_path / "f")

    return make


def missing(name):
    def make(tmp_path):
        path = folder_of(python_files(sample()), tmp_path / "f")
        (path / name).unlink()
        return path

    return make


def tar(change, **options):
    def make(tmp_path):
        path = tar_of(python_files(sample()), tmp_path / "set.tar.gz", **options)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return make


def flip_last(content):
    content[-8] ^= 1  # the checksum at the end of a gzip file
    return content


def two_folders(tmp_path):
    files = python_files(sample())
    both = {f"a/{name}": content for name, content in files.items()}
    return tar_of(both | {f"b/{name}": content for name, content in files.items()}, tmp_path / "set.tar")


def prepared(name, change):
    def make(tmp_path):
        datasets.write(sample(), tmp_path / "set")
        path = tmp_path / "set" / name
        path.write_bytes(change(path.read_bytes()))
        return tmp_path / "set"

    return make


def unlinked(tmp_path):
    datasets.write(sample(), tmp_path / "set")
    (tmp_path / "set/test_labels.npy").unlink()
    return tmp_path / "set"


def empty_folder(tmp_path):
    (tmp_path / "nothing").mkdir()
    return tmp_path / "nothing"


def text_file(tmp_path):
    (tmp_path / "notes.txt").write_text("no data")
    return tmp_path / "notes.txt"


BROKEN = {
    "a pickle cut short": (changed("data_batch_2", lambda c: c[:-100]), "data_batch_2 .*cut short"),
    "no pickle at all": (changed("test_batch", lambda c: b"<html>no"), "test_batch .* not a readable pickle"),
    "an empty file": (changed("batches.meta", lambda c: b""), "batches.meta .* not a readable pickle"),
    "a pickled list": (changed("data_batch_1", lambda c: python2_dumps([1])), "data_batch_1 .* a list"),
    "other keys": (
        changed("data_batch_1", lambda c: python2_dumps({b"x": 1})),
        "data_batch_1 .* no entry 'data'",
    ),
    "too few labels": (batch(labels=[0] * 19), "data_batch_2 .* 20 images but 19 labels"),
    "too few columns": (batch(data=np.zeros((20, 3071), np.uint8)), r"data_batch_2 .* \(20, 3071\)"),
    "floats": (batch(data=np.zeros((20, 3072))), "data_batch_2 .* float64"),
    "no rows": (batch(data=np.zeros((0, 3072), np.uint8), labels=[]), "data_batch_2 .* no images"),
    "a label too large": (batch(labels=[10] * 20), "data_batch_2 .* label 10, but there are 10 classes"),
    "a negative label": (batch(labels=[-1] * 20), "data_batch_2 .* label -1"),
    "labels of text": (batch(labels=[b"cat"] * 20), "data_batch_2 .* no list of whole numbers"),
    "ragged labels": (batch(labels=[[1], [2, 3]] * 10), "data_batch_2 .* no array"),
    "names that are no list": (
        changed("batches.meta", lambda c: python2_dumps({b"label_names": 5})),
        "batches.meta .* no list of names",
    ),
    "one class name": (
        changed("batches.meta", lambda c: python2_dumps({b"label_names": [b"cat"]})),
        "batches.meta .* at least two",
    ),
    "a missing batch": (missing("data_batch_4"), "has no file data_batch_4"),
    "missing class names": (missing("batches.meta"), "has no file batches.meta"),
    "a cut binary file": (binary(lambda c: c[:-1]), "test_batch.bin .* 61459 bytes"),
    "an empty binary file": (binary(lambda c: b""), "test_batch.bin .* no images"),
    "a wrong binary label": (binary(lambda c: b"\xff" + c[1:]), "test_batch.bin .* label 255"),
    "a tar cut short": (tar(lambda c: c[: len(c) // 2]), "set.tar.gz .*cut short"),
    "a tar with a wrong checksum": (tar(flip_last), "set.tar.gz .* damaged"),
    "no tar": (text_file, "notes.txt is no readable tar"),
    "two sets in one tar": (two_folders, "set.tar holds CIFAR files in 2 folders"),
    "an empty folder": (empty_folder, "nothing holds no known data set"),
    "a path that is not there": (lambda tmp_path: tmp_path / "nowhere", "nowhere does not exist"),
    "a changed array": (
        prepared("train_images.npy", lambda c: c[:-1] + bytes([c[-1] ^ 1])),
        "train_images.npy is damaged .* --force",
    ),
    "more images for dev than there are": (
        prepared("meta.json", lambda c: c.replace(b'"dev": null', b'"dev": 999')),
        "test images, not 999 for dev.* --force",
    ),
    "a cut meta.json": (
        prepared("meta.json", lambda c: c[:-9]),
        "meta.json is missing or damaged: .* --force",
    ),
    "a missing array": (unlinked, "test_labels.npy is missing: .* --force"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_is_named_in_one_sentence(tmp_path, name):
    make, expected = BROKEN[name]
    sentence = sentence_of(load, make(tmp_path))
    assert re.search(expected, sentence), sentence


def test_a_member_that_claims_terabytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "LARGEST_FILE", 1000)
    assert "claims" in sentence_of(load, tar_of(python_files(sample()), tmp_path / "set.tar"))


@pytest.mark.parametrize("options", [{"image_size": 0}, {"train_limit": 0}, {"test_limit": -1}, {"seed": -1}])
def test_bad_options(options):
    sentence_of(load, "synthetic", **options)


# --- image folders --------------------------------------------------------------------------------------


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), image)[1].tobytes())


def color_of(number: int) -> np.ndarray:
    """A 40x60 image of one color, RGB (10 * number, 100, 200), as OpenCV wants it."""
    return np.full((40, 60, 3), (200, 100, 10 * number), np.uint8)


@pytest.fixture
def photos(tmp_path):
    """train/ and test/ with classes of 20 and 10, the image's number in its red channel."""
    for part, number in (("train", 20), ("test", 4)):
        for name in ("zebra", "ärger"):
            for index in range(number):
                write_image(
                    tmp_path / "photos" / part / name / "images" / f"{index:02d}.PNG", color_of(index)
                )
    return tmp_path / "photos"


def test_image_folder(photos):
    dataset = load(photos)
    assert (dataset.name, dataset.classes, dataset.skipped) == ("photos", ("zebra", "ärger"), ())
    assert dataset.train.images.shape == (40, 32, 32, 3)
    np.testing.assert_array_equal(dataset.train.images[20, 5, 5], (0, 100, 200))
    np.testing.assert_array_equal(dataset.train.images[19, 5, 5], (190, 100, 200))
    assert dataset.test.labels.tolist() == [0] * 4 + [1] * 4


def test_image_folder_limits_are_stratified_and_seeded(photos):
    one, same, other = (load(photos, train_limit=11, test_limit=2, seed=seed) for seed in (1, 1, 2))
    assert np.bincount(one.train.labels).tolist() == [6, 5]
    assert np.bincount(one.test.labels).tolist() == [1, 1]
    assert_same(one, same)
    assert (one.train.images != other.train.images).any()


def test_image_folder_without_test_holds_some_out(photos):
    (photos / "test").rename(photos / "other")
    one, same, other = (load(photos, seed=seed) for seed in (1, 1, 2))
    assert np.bincount(one.test.labels).tolist() == [2, 2]
    assert_same(one, same)
    assert (one.test.images != other.test.images).any()
    for label in (0, 1):  # the red channel tells the images apart
        reds = [part.images[part.labels == label, 0, 0, 0].tolist() for part in (one.train, one.test)]
        assert sorted(reds[0] + reds[1]) == list(range(0, 200, 10))


def test_images_of_every_kind(photos):
    train = photos / "train/zebra"
    for path in train.rglob("*.PNG"):
        path.unlink()
    gray16 = np.full((8, 8), 0x80FF, np.uint16)
    alpha = np.dstack([np.full((50, 30, 3), (3, 2, 1), np.uint8), np.full((50, 30), 7, np.uint8)])
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 255
    write_image(train / "a gray 16.png", gray16)
    write_image(train / "b alpha.png", alpha)
    write_image(train / "c wide.png", wide)
    write_image(train / "d größe.JPeG", np.full((32, 32), 90, np.uint8))
    images = load(photos).train.images[:4]
    assert (images[0] == 0x80).all()
    assert (images[1] == (1, 2, 3)).all()
    assert (images[2] == 255).all()  # the central square alone
    assert (images[3] == 90).all()


def test_unreadable_images_are_left_out_and_counted(photos, capfd):
    broken = photos / "train/zebra/images/03.PNG"
    broken.write_bytes(broken.read_bytes()[:40])
    empty = photos / "test/ärger/images/01.PNG"
    empty.write_bytes(b"")
    dataset = load(photos)
    assert (len(dataset.train), len(dataset.test)) == (39, 7)
    assert [str(path) in sentence for path, sentence in zip((broken, empty), dataset.skipped, strict=True)]
    assert 30 not in dataset.train.images[dataset.train.labels == 0, 0, 0, 0]
    assert "WARN" not in capfd.readouterr().err


def no_image(photos):
    for path in (photos / "train/zebra").rglob("*.PNG"):
        path.unlink()


def one_class(photos):
    (photos / "train/zebra").rename(photos / "zebra")


def other_classes(photos):
    (photos / "test/zebra").rename(photos / "test/lion")


def mostly_unreadable(photos):
    for path in (photos / "test").rglob("0[0-2].PNG"):
        path.write_bytes(b"broken")


BROKEN_PHOTOS = {
    no_image: "zebra holds no PNG or JPEG image",
    one_class: r"train holds 1 class folder\(s\)",
    other_classes: "the class 'lion' in only one of train and test",
    mostly_unreadable: "00.PNG is no readable image, nor are 5 others of the 8 test images",
}


@pytest.mark.parametrize("change", BROKEN_PHOTOS)
def test_broken_image_folders(photos, change):
    change(photos)
    sentence = sentence_of(load, photos)
    assert re.search(BROKEN_PHOTOS[change], sentence), sentence


# --- splits ---------------------------------------------------------------------------------------------


def labeled(train_labels, test_labels, classes: int) -> Dataset:
    def part(labels):
        return Images(np.zeros((len(labels), 1, 1, 3), np.uint8), np.asarray(labels, np.int64))

    return Dataset("labels", part(train_labels), part(test_labels), names_of(classes))


SIZES = st.integers(0, 60)
LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS, SIZES, SIZES, SIZES, st.integers(0, 5))
def test_splits(train_labels, test_labels, train, dev, test, seed):
    dataset = labeled(train_labels, test_labels, 3)
    chosen = split(dataset, train, dev, test, seed=seed)
    again = split(dataset, train, dev, test, seed=seed)
    full = split(dataset, 1000, 1000, 1000, seed=seed)
    half = len(test_labels) // 2
    assert len(chosen.train) == min(train, len(train_labels))
    assert len(chosen.dev) == min(dev, half)
    assert len(chosen.test) == min(test, len(test_labels) - half)
    assert (np.diff(chosen.train) > 0).all()
    np.testing.assert_array_equal(full.train, np.arange(len(train_labels)))
    assert sorted([*full.dev, *full.test]) == list(range(len(test_labels)))  # disjoint, and nothing lost
    for name in ("train", "dev", "test"):
        part = getattr(chosen, name)
        assert part.dtype == np.int64
        np.testing.assert_array_equal(part, getattr(again, name))
        if name != "train":  # a smaller split is the beginning of a larger one
            np.testing.assert_array_equal(part, getattr(full, name)[: len(part)])
    assert set(chosen.train) <= set(split(dataset, train + 5, 0, 0, seed=seed).train)


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS, st.integers(3, 60), st.integers(0, 5))
def test_stratified_splits_are_balanced_and_keep_to_the_pools(train_labels, test_labels, size, seed):
    dataset = labeled(train_labels, test_labels, 3)
    judge = split(dataset, size, size, size, seed=seed, stratified=True)
    pools = split(dataset, 1000, 1000, 1000, seed=seed)
    for name, labels in (
        ("train", dataset.train.labels),
        ("dev", dataset.test.labels),
        ("test", dataset.test.labels),
    ):
        pool, part = getattr(pools, name), getattr(judge, name)
        expected = np.minimum(np.bincount(labels[pool], minlength=3), size // 3)
        assert np.bincount(labels[part], minlength=3).tolist() == expected.tolist()
        for label in range(3):
            of_class = [row for row in part if labels[row] == label]
            assert set(of_class) <= set(pool)
            if name != "train":  # the first of the class, in the order of the pool
                assert of_class == [row for row in pool if labels[row] == label][: len(of_class)]


def test_splits_of_full_size_differ_by_seed():
    dataset = labeled(np.arange(50_000) % 10, np.arange(10_000) % 10, 10)
    one, two = split(dataset, 1000, seed=0), split(dataset, 1000, seed=1)
    assert [len(one.train), len(one.dev), len(one.test)] == [1000, 5000, 5000]
    assert (one.train != two.train).any()
    assert (one.dev != two.dev).any()
    judge = split(dataset, 10_000, 1_000, 1_000, stratified=True)
    assert np.bincount(judge.train % 10).tolist() == [1000] * 10
    assert np.bincount(judge.dev % 10).tolist() == [100] * 10
    assert set(judge.dev) <= set(one.dev)
    assert set(judge.test) <= set(one.test)
    # The same on every machine: these numbers may never change.
    assert one.train[:3].tolist() == [66, 72, 157]
    assert one.dev[:3].tolist() == [1639, 1056, 6156]


def test_splits_file(tmp_path):
    path = tmp_path / "splits.npz"
    splits = split(labeled([0, 1] * 9, [0, 1] * 8, 2), 5, 3, 2)
    splits.save(path)
    splits.save(path)
    back = Splits.load(path)
    for name in ("train", "dev", "test"):
        np.testing.assert_array_equal(getattr(back, name), getattr(splits, name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["splits.npz"]
    good = path.read_bytes()
    for bad in (good[: len(good) // 2], b"", b"text", good.replace(b"dev.npy", b"d3v.npy")):
        path.write_bytes(bad)
        assert "splits.npz" in sentence_of(Splits.load, path)
    np.savez(path, train=np.zeros(2), dev=np.zeros(2), test=np.zeros(2))
    assert "int64" in sentence_of(Splits.load, path)
    np.savez(path, train=object_array("x"), dev=np.zeros(2), test=np.zeros(2))
    sentence_of(Splits.load, path)
    sentence_of(Splits.load, tmp_path / "nowhere.npz")


def test_split_sizes_that_make_no_sense():
    dataset = labeled([0, 1, 2], [0, 1, 2], 3)
    assert "dev split must be at least 0" in sentence_of(split, dataset, 1, -1, 1)
    assert "at least 3, one for each class" in sentence_of(split, dataset, 3, 3, 2, stratified=True)


# --- the synthetic set ----------------------------------------------------------------------------------


@cache
def drawn() -> Dataset:
    return load("synthetic", train_limit=2000, test_limit=500)


def test_synthetic_is_seeded_balanced_and_a_prefix_of_the_longer_one():
    dataset = drawn()
    assert dataset.classes == SYNTHETIC_CLASSES
    assert np.bincount(dataset.train.labels).tolist() == [200] * 10
    short = load("synthetic", train_limit=730, test_limit=1)
    np.testing.assert_array_equal(short.train.images, dataset.train.images[:730])
    np.testing.assert_array_equal(short.train.labels, dataset.train.labels[:730])
    np.testing.assert_array_equal(short.test.images, dataset.test.images[:1])
    assert (dataset.train.images[:500] != dataset.test.images).any()
    other = load("synthetic", train_limit=10, test_limit=1, seed=1)
    assert (other.train.images != dataset.train.images[:10]).any()
    assert load("synthetic", train_limit=5, test_limit=5, image_size=48).test.images.shape == (5, 48, 48, 3)


def test_synthetic_colors_lie_inside_srgb():
    for name, palette in PALETTES.items():
        for lightness in (50, 65):
            lab = np.array([[(lightness, *color) for color in palette]], np.float32)
            there_and_back = cv2.cvtColor(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), cv2.COLOR_RGB2Lab)
            assert np.abs(there_and_back - lab).max() < 5, name
    images = drawn().train.images
    assert ((images == 0) | (images == 255)).mean() < 0.002


def object_colors(name: str) -> tuple[np.ndarray, np.ndarray]:
    """For each image of a class: the palette color that most of its pixels have, and their mean ab."""
    dataset, palette = drawn(), np.array(PALETTES[name], np.float32)
    images = dataset.train.images[dataset.train.labels == SYNTHETIC_CLASSES.index(name)]
    lab = np.stack([cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for image in images])
    distances = np.linalg.norm(lab[..., None, 1:] - palette, axis=-1)  # (N, 32, 32, colors)
    color = (distances < 8).sum(axis=(1, 2)).argmax(axis=1)
    near = distances[np.arange(len(lab)), ..., color] < 8
    mean = np.stack([ab[mask].mean(axis=0) for ab, mask in zip(lab[..., 1:], near, strict=True)])
    assert near.mean() > 0.05  # there is an object to speak of
    return color, mean


@pytest.mark.parametrize("name", [name for name, palette in PALETTES.items() if len(palette) > 1])
def test_synthetic_colors_are_equally_likely_and_nearly_gray_in_the_mean(name):
    palette = np.array(PALETTES[name])
    color, mean = object_colors(name)
    counts = np.bincount(color, minlength=len(palette))
    expected = len(color) / len(palette)
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi squared, 3 degrees, 1 in 1000
    assert np.abs(mean - palette[color]).max() < 5  # one object, one color
    chroma = np.linalg.norm(palette, axis=1).mean()
    assert np.linalg.norm(palette.mean(axis=0)) < 0.55 * chroma  # the best answer in the mean is grayish


@pytest.mark.parametrize("name", [name for name, palette in PALETTES.items() if len(palette) > 1])
def test_synthetic_lightness_is_the_same_in_every_color(name, monkeypatch):
    choose = synthetic._Canvas.palette

    def lightness_in(color) -> np.ndarray:
        def always(canvas, name):
            choose(canvas, name)  # so that the generator goes on as it would
            return np.array(color, np.float32)

        monkeypatch.setattr(synthetic._Canvas, "palette", always)
        canvas = synthetic._Canvas(np.random.default_rng(0), 30, 32)
        synthetic._SCENES[name](canvas)
        tall = canvas.rgb().reshape(-1, 32, 3).astype(np.float32) / 255
        return cv2.cvtColor(tall, cv2.COLOR_RGB2Lab)[..., 0]

    first, *others = (lightness_in(color) for color in PALETTES[name])
    for other in others:
        assert abs((other - first).mean()) < 0.05
        assert np.quantile(np.abs(other - first), 0.99) < 1  # 8-bit rounding, and the odd clipped pixel


# --- real data ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="CIFAR-10 is not in ../shared/data")
def test_real_cifar10():
    dataset = load(REAL)
    assert dataset.classes[:3] == ("airplane", "automobile", "bird")
    counts = datasets.verify(dataset)
    assert counts["train"].tolist() == [5000] * 10
    assert counts["test"].tolist() == [1000] * 10
    assert dataset.train.labels[:5].tolist() == [6, 9, 9, 4, 1]  # frog, truck, truck, deer, automobile
    means = dataset.train.images.mean(axis=(0, 1, 2)) / 255
    np.testing.assert_allclose(means, (0.4914, 0.4822, 0.4465), atol=1e-3)  # as commonly published


@pytest.mark.skipif(not REAL.exists(), reason="CIFAR-10 is not in ../shared/data")
def test_real_python2_pickle():
    with tarfile.open(REAL) as archive:
        member = next(member for member in archive if member.name.endswith("batches.meta"))
        content = archive.extractfile(member).read()
    names = cifar._pickled_names(content, "batches.meta", b"label_names")
    assert names[0] == "airplane"
    assert len(names) == 10


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.exists(), reason="the photographs are not in ../shared/data")
def test_real_photographs(tmp_path):
    with tarfile.open(PHOTOS) as archive:
        archive.extractall(tmp_path, filter="data")
    dataset = load(tmp_path / "imagenette-128", image_size=64, test_limit=100)
    assert dataset.train.images.shape == (4263, 64, 64, 3)
    assert datasets.verify(dataset)["test"].tolist() == [10] * 10
