"""Tiny CIFAR sets in the published layouts, and how a damaged one is refused."""

import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from colorization.core.errors import InputError
from colorization.datasets import Dataset, Images


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


def object_array(*values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
