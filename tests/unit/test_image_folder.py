"""Folders of images by class: read, limited, held out, and refused."""

import re
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.cifar_files import assert_same, sentence_of

from colorization import datasets
from colorization.datasets import load

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ROOT.parent / "shared/data/photos/imagenette-128.tar.xz"


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
    for index, path in enumerate(sorted((photos / "train" / "ärger").rglob("*.PNG"))):
        write_image(path, color_of(index) - np.uint8([1, 0, 0]))  # copies would be held out once
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
    place = datasets.data_root() / "photos-skipped-files.txt"
    assert dataset.skipped == (f"Left out: 2 cannot be read. The names are in {place}.",)
    assert place.read_text() == "".join(f"cannot be read\t{path}\n" for path in (empty, broken))
    assert 30 not in dataset.train.images[dataset.train.labels == 0, 0, 0, 0]
    assert "WARN" not in capfd.readouterr().err


def no_image(photos):
    for path in (photos / "train/zebra").rglob("*.PNG"):
        path.unlink()


def other_classes(photos):
    (photos / "test/zebra").rename(photos / "test/lion")


def mostly_unreadable(photos):
    for path in (photos / "test").rglob("0[0-2].PNG"):
        path.write_bytes(b"broken")


BROKEN_PHOTOS = {
    no_image: "zebra holds no images",
    other_classes: "the class lion in only one of train and test",
    mostly_unreadable: "6 of the 8 test images cannot be read, for example .*00.PNG",
}


@pytest.mark.parametrize("change", BROKEN_PHOTOS)
def test_broken_image_folders(photos, change):
    change(photos)
    sentence = sentence_of(load, photos)
    assert re.search(BROKEN_PHOTOS[change], sentence), sentence


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.exists(), reason="the photographs are not in ../shared/data")
def test_real_photographs(tmp_path):
    with tarfile.open(PHOTOS) as archive:
        archive.extractall(tmp_path, filter="data")
    dataset = load(tmp_path / "imagenette-128", image_size=64, test_limit=100)
    assert dataset.train.images.shape == (4263, 64, 64, 3)
    assert datasets.verify(dataset)["test"].tolist() == [10] * 10
