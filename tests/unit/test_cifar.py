"""CIFAR: every published layout read back, every kind of damage named, nothing in a pickle run."""

import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.cifar_files import (
    assert_same,
    binary_files,
    folder_of,
    names_of,
    object_array,
    planes,
    python2_dumps,
    python3_dumps,
    python_files,
    sample,
    sentence_of,
    tar_of,
)

from colorization import datasets
from colorization.core.errors import InputError
from colorization.datasets import Dataset, Images, cifar, load
from colorization.datasets import prepared as prepared_sets

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/cifar10/cifar-10-python.tar.xz"

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


def test_an_interrupted_replacement_keeps_the_old_set(tmp_path, monkeypatch):
    """Oracle: the set that was there, after an interruption at the last rename."""
    datasets.write(sample(), tmp_path / "set")
    rename = Path.rename

    def interrupted(path, target):
        if path.name == "new":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        datasets.write(sample(10, rows=4), tmp_path / "set")
    assert_same(load(tmp_path / "set"), sample())
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]


def test_names_are_looked_up_in_the_data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path))
    assert "colorize prepare cifar10" in sentence_of(load, "cifar10")
    datasets.write(sample(), tmp_path / "cifar10")
    assert_same(load("cifar10"), sample())
    monkeypatch.delenv("COLORIZATION_DATA")
    assert datasets.data_root() == ROOT / "data"


def test_importing_costs_neither_tensorflow_nor_keras():
    code = "import sys, colorization.datasets; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


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
    "a pickle cut short": (
        changed("data_batch_2", lambda c: c[:-100]),
        "data_batch_2 .*incomplete or damaged",
    ),
    "no pickle at all": (
        changed("test_batch", lambda c: b"<html>no"),
        "test_batch .* cannot be read as a pickle",
    ),
    "an empty file": (changed("batches.meta", lambda c: b""), "batches.meta .* cannot be read as a pickle"),
    "a pickled list": (changed("data_batch_1", lambda c: python2_dumps([1])), "data_batch_1 .* a list"),
    "other keys": (
        changed("data_batch_1", lambda c: python2_dumps({b"x": 1})),
        "data_batch_1 .* not have the entry 'data'",
    ),
    "too few labels": (batch(labels=[0] * 19), "data_batch_2 .* 20 images, but 19 labels"),
    "too few columns": (batch(data=np.zeros((20, 3071), np.uint8)), r"data_batch_2 .* \(20, 3071\)"),
    "floats": (batch(data=np.zeros((20, 3072))), "data_batch_2 .* float64"),
    "no rows": (batch(data=np.zeros((0, 3072), np.uint8), labels=[]), "data_batch_2 .* not contain images"),
    "a label too large": (batch(labels=[10] * 20), "data_batch_2 .* label 10, but there are 10 classes"),
    "a negative label": (batch(labels=[-1] * 20), "data_batch_2 .* label -1"),
    "labels of text": (batch(labels=[b"cat"] * 20), "data_batch_2 .* not a list of whole numbers"),
    "ragged labels": (batch(labels=[[1], [2, 3]] * 10), "data_batch_2 .* not an array"),
    "names that are no list": (
        changed("batches.meta", lambda c: python2_dumps({b"label_names": 5})),
        "batches.meta .* not a list of names",
    ),
    "one class name": (
        changed("batches.meta", lambda c: python2_dumps({b"label_names": [b"cat"]})),
        "batches.meta .* at least two",
    ),
    "a missing batch": (missing("data_batch_4"), "not contain the file data_batch_4"),
    "missing class names": (missing("batches.meta"), "not contain the file batches.meta"),
    "a cut binary file": (binary(lambda c: c[:-1]), "test_batch.bin .* 61459 bytes"),
    "an empty binary file": (binary(lambda c: b""), "test_batch.bin .* not contain images"),
    "a wrong binary label": (binary(lambda c: b"\xff" + c[1:]), "test_batch.bin .* label 255"),
    "a tar cut short": (tar(lambda c: c[: len(c) // 2]), "set.tar.gz .*incomplete or damaged"),
    "a tar with a wrong checksum": (tar(flip_last), "set.tar.gz .* damaged"),
    "no tar": (text_file, "notes.txt is a text file, which cannot be read as a data set"),
    "two sets in one tar": (two_folders, "set.tar contains CIFAR files in 2 folders"),
    "an empty folder": (empty_folder, "nothing does not contain a known data set"),
    "a path that is not there": (lambda tmp_path: tmp_path / "nowhere", "nowhere is not found"),
    "a changed array": (
        prepared("train_images.npy", lambda c: c[:-1] + bytes([c[-1] ^ 1])),
        "train_images.npy is damaged.* Delete the folder",
    ),
    "more images for dev than there are": (
        prepared("meta.json", lambda c: c.replace(b'"dev": null', b'"dev": 999')),
        "test images, but 999 are marked as dev images.* Delete the folder",
    ),
    "a cut meta.json": (
        prepared("meta.json", lambda c: c[:-9]),
        "meta.json is missing or damaged.* Delete the folder",
    ),
    "a missing array": (unlinked, "test_labels.npy is missing.* Delete the folder"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_is_named_in_one_sentence(tmp_path, name):
    make, expected = BROKEN[name]
    sentence = sentence_of(load, make(tmp_path))
    assert re.search(expected, sentence), sentence


def test_a_member_that_claims_terabytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "LARGEST_FILE", 1000)
    assert "is too large" in sentence_of(load, tar_of(python_files(sample()), tmp_path / "set.tar"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"image_size": 0}, "image_size, train_limit and test_limit must be at least 1."),
        ({"train_limit": 0}, "image_size, train_limit and test_limit must be at least 1."),
        ({"test_limit": -1}, "image_size, train_limit and test_limit must be at least 1."),
        ({"seed": -1}, "seed must be at least 0, received -1."),
        ({"source": ""}, "The name of the data set is empty. Name a data set or a path."),
    ],
)
def test_bad_options(options, sentence):
    assert sentence_of(load, **{"source": "synthetic", **options}) == sentence


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
def test_real_python2_pickle(tmp_path):
    with tarfile.open(REAL) as archive:
        member = next(member for member in archive if member.name.endswith("batches.meta"))
        content = archive.extractfile(member).read()
    classes = load(folder_of({**python_files(sample()), "batches.meta": content}, tmp_path / "f")).classes
    assert classes[0] == "airplane"
    assert len(classes) == 10


def test_a_prepared_set_is_mapped_and_hashed_once(tmp_path, monkeypatch):
    """Oracle: the number of files hashed; hashlib over the arrays; a changed file is noticed all the same."""
    data = datasets.load("synthetic", train_limit=20, test_limit=10)
    datasets.write(data, tmp_path / "set")
    hashed, sha256 = [], prepared_sets.sha256
    monkeypatch.setattr(prepared_sets, "sha256", lambda path: hashed.append(path.name) or sha256(path))
    first, second = (datasets.read(tmp_path / "set") for _ in range(2))
    assert sorted(hashed) == sorted(prepared_sets.ARRAYS)
    assert isinstance(first.train.images, np.memmap)
    parts = (data.train.images, data.train.labels, data.test.images, data.test.labels)
    expected = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    assert first.known_sha256 == second.sha256 == data.sha256 == expected
    smaller = datasets.read(tmp_path / "set", 16)
    assert not smaller.known_sha256
    assert smaller.sha256 != expected
    with (tmp_path / "set" / "train_images.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\0" if data.train.images.ravel()[-1] else b"\1")
    with pytest.raises(InputError, match=r"train_images\.npy is damaged"):
        datasets.read(tmp_path / "set")
