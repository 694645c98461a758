"""Data sets as others publish them: Parquet, Keras arrays, newer pickles; unsupported files."""

import json
import pickle
import re
import shutil
import sys
import tarfile

import cv2
import numpy as np
import pytest
from support.cifar_files import (
    assert_same,
    binary_files,
    folder_of,
    planes,
    python_files,
    sample,
    sentence_of,
    tar_of,
)

from colorization import datasets
from colorization.datasets import Dataset, Images, cifar, load

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def png(image):
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def table(part, image="img", label="label", names=None, struct=True):
    """One split as model hubs lay it out."""
    content = [png(picture) for picture in part.images]
    images = (
        pa.array(
            [{"bytes": data, "path": None} for data in content],
            pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        )
        if struct
        else pa.array(content, pa.binary())
    )
    made = pa.table({image: images} | ({label: part.labels} if label else {}))
    if names:
        features = {label: {"names": list(names), "_type": "ClassLabel"}, image: {"_type": "Image"}}
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return made


def hub(folder, dataset, parts=("train", "test"), **options):
    """Write train and test, the first in two files of several row groups."""
    folder.mkdir(parents=True, exist_ok=True)
    half = len(dataset.train) // 2
    for index, rows in enumerate((slice(None, half), slice(half, None))):
        part = Images(dataset.train.images[rows], dataset.train.labels[rows])
        name = f"{parts[0]}-{index:05d}-of-00002.parquet"
        pq.write_table(table(part, **options), folder / name, row_group_size=7)
    pq.write_table(table(dataset.test, **options), folder / f"{parts[1]}-00000-of-00001.parquet")
    return folder


@pytest.mark.parametrize(("image", "label"), [("img", "label"), ("image", "label"), ("img", "fine_label")])
@pytest.mark.parametrize("held_out", ["test", "validation"])
@pytest.mark.parametrize("struct", [True, False])
def test_parquet_of_a_hub_comes_back_bit_for_bit(tmp_path, image, label, held_out, struct):
    dataset = sample()
    options = {"image": image, "label": label, "struct": struct, "names": dataset.classes}
    loaded = load(hub(tmp_path / "plain_text", dataset, ("train", held_out), **options))
    assert_same(loaded, dataset)
    assert (loaded.name, loaded.skipped, loaded.dev) == ("plain_text", (), None)


def test_parquet_without_names_has_numbers_and_without_labels_has_no_classes(tmp_path):
    dataset = sample()
    assert load(hub(tmp_path / "a", dataset)).classes == tuple(map(str, range(10)))
    unlabeled = load(hub(tmp_path / "b", dataset, label=None))
    assert unlabeled.classes == ("image",)
    np.testing.assert_array_equal(unlabeled.train.images, dataset.train.images)


def test_parquet_in_folders_and_with_both_held_out_splits(tmp_path):
    """Oracle: the parts as written. Test files of ImageNet have no labels."""
    dataset = sample()
    for part, of_part in (
        ("train", dataset.train),
        ("validation", dataset.test),
        ("test", dataset.test.rows(np.arange(5))),
    ):
        (tmp_path / "set" / part).mkdir(parents=True)
        pq.write_table(table(of_part), tmp_path / "set" / part / "0000.parquet")
    loaded = load(tmp_path / "set")
    assert (loaded.dev, len(loaded.test)) == (20, 25)
    hidden = Images(dataset.test.images, np.full(20, -1))
    pq.write_table(table(hidden), tmp_path / "set/test/0000.parquet")
    loaded = load(tmp_path / "set")
    assert_same(loaded, Dataset("set", dataset.train, dataset.test, tuple(map(str, range(10)))))
    assert loaded.skipped == (f"The test files of {tmp_path / 'set'} have no labels and are left out.",)


def test_parquet_keeps_to_limits_and_leaves_out_what_cannot_be_read(tmp_path):
    dataset = sample()
    folder = hub(tmp_path / "set", dataset)
    one, same, other = (load(folder, train_limit=30, test_limit=7, seed=seed) for seed in (1, 1, 2))
    assert (len(one.train), len(one.test)) == (30, 7)
    assert_same(one, same)
    assert (one.train.images != other.train.images).any()
    known = {
        image.tobytes(): label
        for image, label in zip(dataset.train.images, dataset.train.labels, strict=True)
    }
    assert [known[image.tobytes()] for image in one.train.images] == one.train.labels.tolist()
    content = [png(image) for image in dataset.test.images]
    content[3], content[5] = b"broken", None
    damaged = pa.table({"img": pa.array(content, pa.binary()), "label": dataset.test.labels})
    pq.write_table(damaged, folder / "test-00000-of-00001.parquet")
    loaded = load(folder)
    assert len(loaded.test) == 18
    assert loaded.skipped == ("2 of 20 test images cannot be read and are left out.",)


def rewrite(**columns):
    def change(folder):
        pq.write_table(pa.table(columns), folder / "test-00000-of-00001.parquet")

    return change


def no_test(folder):
    (folder / "test-00000-of-00001.parquet").unlink()


def cut(folder):
    path = folder / "test-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:1000])


def damaged_page(folder):
    path = folder / "test-00000-of-00001.parquet"
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)
    path.write_bytes(content)


def other_names(folder):
    for path in list(folder.iterdir()):
        path.rename(folder / f"x{path.name}")


BROKEN = {
    rewrite(pixels=[1], label=[0]): r"has no column img or image\. Its columns are pixels, label\.",
    rewrite(img=["a.png"], label=[0]): "The column img of .* contains string, not the bytes of image files",
    rewrite(img=[b"x"] * 3, label=[0, 1, 2]): "3 of the 3 test images cannot be read",
    rewrite(img=[b"x"], label=["cat"]): "The column label of .* does not contain whole numbers",
    rewrite(img=[b"x"], label=[None]): "The column label of .* does not contain whole numbers",
    rewrite(img=[b"x"], label=[-1]): "The label -1 is in the test files",
    no_test: r"has no test-\*\.parquet or validation-\*\.parquet",
    cut: "cannot be read as Parquet",
    damaged_page: "cannot be read as Parquet",
    other_names: r"contains Parquet files, but no train-\*\.parquet",
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_parquet_is_named_in_one_sentence(tmp_path, change):
    folder = hub(tmp_path / "set", sample())
    change(folder)
    with pytest.raises(datasets.InputError) as caught:
        load(folder)
    assert re.search(BROKEN[change], str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_single_parquet_file_names_its_folder(tmp_path):
    folder = hub(tmp_path / "set", sample())
    sentence = sentence_of(load, folder / "train-00000-of-00002.parquet")
    assert sentence.endswith(f"is one file of a data set. Name its folder, {folder}.")


def test_without_pyarrow_the_way_to_install_it_is_named(tmp_path, monkeypatch):
    folder = hub(tmp_path / "set", sample())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert sentence_of(load, folder).endswith(
        "needs pyarrow. Run `pip install 'keras-colorization[parquet]'`."
    )


def arrays(dataset, **changes):
    values = {
        "x_train": dataset.train.images,
        "y_train": dataset.train.labels[:, None],
        "x_test": dataset.test.images,
        "y_test": dataset.test.labels[:, None],
    } | changes
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_keras_arrays(tmp_path, save):
    dataset = sample()
    for index, changes in enumerate(
        (
            {},
            {
                "y_train": dataset.train.labels.astype(np.uint8),
                "y_test": dataset.test.labels.astype(np.int32),
            },
            {"x_train": dataset.train.images.transpose(0, 3, 1, 2)},
        )
    ):
        save(tmp_path / f"{index}.npz", **arrays(dataset, **changes))
        loaded = load(tmp_path / f"{index}.npz")
        assert_same(loaded, Dataset("", dataset.train, dataset.test, tuple(map(str, range(10)))))


def test_keras_arrays_that_are_gray_or_have_no_labels(tmp_path):
    dataset = sample()
    gray = {"x_train": dataset.train.images[..., 0], "x_test": dataset.test.images[..., :1]}
    np.savez(tmp_path / "gray.npz", **arrays(dataset, y_train=None, y_test=None, **gray))
    loaded = load(tmp_path / "gray.npz", image_size=16)
    assert loaded.classes == ("image",)
    assert loaded.train.images.shape == (100, 16, 16, 3)
    assert (loaded.test.images[..., 0] == loaded.test.images[..., 2]).all()


BAD_ARRAYS = {
    "has no array x_test": {"x_test": None},
    "has no array y_test": {"y_test": None},
    "x_train in .* must be uint8 with values of 0 to 255, received float32": {
        "x_train": np.zeros((2, 8, 8, 3), "f4")
    },
    r"x_train in .* must have the shape .* received \(2, 8\)": {"x_train": np.zeros((2, 8), "u1")},
    "y_train in .* must contain 100 whole numbers": {"y_train": np.zeros((100, 10))},
    "set.npz has the label 1000000000000, but at most 100000 classes": {"y_train": np.full(100, 10**12)},
    "y_test in .* label -1": {"y_test": np.full(20, -1)},
    "cannot be read as NumPy arrays": {"y_test": np.array([{}] * 20)},  # a pickle, which is not opened
}


@pytest.mark.parametrize("expected", BAD_ARRAYS)
def test_bad_keras_arrays_are_named_in_one_sentence(tmp_path, expected):
    np.savez(tmp_path / "set.npz", **arrays(sample(), **BAD_ARRAYS[expected]))
    sentence = sentence_of(load, tmp_path / "set.npz")
    assert re.search(expected, sentence), sentence


def test_damaged_keras_arrays(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays(sample()))
    content = (tmp_path / "set.npz").read_bytes()
    for bad in (content[:1000], b"", b"text", content[:500] + bytes(500) + content[1000:]):
        (tmp_path / "set.npz").write_bytes(bad)
        assert "set.npz cannot be read as NumPy arrays" in sentence_of(load, tmp_path / "set.npz")


@pytest.mark.parametrize("number", [10, 100])
@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_pickles_of_python_3_with_text_keys(tmp_path, number, protocol):
    """Oracle: pickle itself, at every protocol, keys as text."""

    def dumps(value):
        texts = {key.decode(): item for key, item in value.items()}
        names = {
            key: [name.decode() for name in item] for key, item in texts.items() if key.endswith("_names")
        }
        return pickle.dumps(texts | names, protocol=protocol)

    dataset = sample(number)
    assert_same(load(folder_of(python_files(dataset, dumps), tmp_path / "f")), dataset)


def test_pickled_labels_as_an_array_of_protocol_5(tmp_path):
    dataset = sample()
    batch = {"data": np.asfortranarray(planes(dataset.test)), "labels": dataset.test.labels}
    files = python_files(dataset) | {"test_batch": pickle.dumps(batch, protocol=5)}
    assert_same(load(folder_of(files, tmp_path / "f")), dataset)


def test_one_folder_deeper(tmp_path):
    """Oracle: each layout inside of a folder with a readme; two of them are named."""
    dataset = sample()
    deeper = {
        "hub/plain_text": lambda path: hub(path, dataset, names=dataset.classes),
        "python/cifar-10-batches-py": lambda path: folder_of(python_files(dataset), path),
        "binary/cifar-10-batches-bin": lambda path: folder_of(binary_files(dataset), path),
        "prepared/set": lambda path: datasets.write(dataset, path),
    }
    for name, make in deeper.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).parent.joinpath("README.md").write_text("text")
        make(tmp_path / name)
        assert_same(load((tmp_path / name).parent), dataset)
    shutil.copytree(tmp_path / "python/cifar-10-batches-py", tmp_path / "hub/second")
    assert "hub contains 2 data sets: plain_text, second. Name one of them." in sentence_of(
        load, tmp_path / "hub"
    )


def test_a_folder_with_other_images_too_is_one_of_photographs(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    hub(tmp_path / "set/hub", sample())
    for index, image in enumerate(sample().test.images[:5]):
        (tmp_path / "set" / f"{index}").write_bytes(png(image))
    assert load(tmp_path / "set").classes == ("photograph",)


UNSUPPORTED = {
    "a.h5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, which cannot be read as a data set. Use CIFAR"),
    "a.npy": (b"\x93NUMPY\x01\0", "is a NumPy file, which cannot"),
    "a.tfrecord": (b"\x10\0\0\0", "is a TFRecord file, which cannot"),
    "a.csv": (b"a,b\n", "is a CSV file, which cannot"),
    "a.arrow": (b"ARROW1\0\0", "is an Arrow file, which cannot"),
    "a.pkl": (b"\x80\x04", "is a pickle file, which cannot"),
    "notes": ("größe".encode() * 20, "is a text file, which cannot"),
    "empty": (b"", "is an empty file, which cannot"),
    "noise": (bytes(range(256)), "is a binary file, which cannot"),
    "a.zip": (
        b"PK\x03\x04",
        "is a ZIP file, which cannot be read as a data set. Unpack it, and name its folder.",
    ),
    "train-images-idx3-ubyte.gz": (b"\x1f\x8b\x08\0", "is a gzip file, which cannot"),
    "a": (png(np.zeros((8, 8, 3), np.uint8)), "is one PNG image. Name a folder of images."),
    "data_batch_1": (b"\x80\x02}q", "is one file of a data set. Name its folder"),
    "test_images.npy": (b"\x93NUMPY\x01\0", "is one file of a data set. Name its folder"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_file_is_named_as_such(tmp_path, name):
    content, expected = UNSUPPORTED[name]
    (tmp_path / name).write_bytes(content)
    assert f"{name} {expected}" in sentence_of(load, tmp_path / name)


def test_a_tar_is_known_by_its_content_and_one_without_cifar_is_named(tmp_path):
    dataset = sample()
    tar_of(python_files(dataset), tmp_path / "set.tar.gz").rename(tmp_path / "download")
    assert_same(load(tmp_path / "download"), dataset)
    with tarfile.open(tmp_path / "pictures.tar", "w") as archive:
        archive.add(tmp_path / "download", "a.jpg")
    assert "pictures.tar does not contain the files of CIFAR. Unpack it" in sentence_of(
        load, tmp_path / "pictures.tar"
    )


def test_a_published_name_with_another_checksum_is_noticed(tmp_path, monkeypatch):
    """Oracle: sums of a file written here."""
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(b"abc")
    assert cifar.differs_from_published(path)
    assert not cifar.differs_from_published(tmp_path)
    known = ("md5", "900150983cd24fb0d6963f7d28e17f72")  # of "abc", RFC 1321
    monkeypatch.setitem(cifar.PUBLISHED, path.name, known)
    assert not cifar.differs_from_published(path)
    assert not cifar.differs_from_published(path.rename(tmp_path / "mine.tar.gz"))
