"""Splits of image folders: equal files fall together, own splits are kept, gray sets are refused."""

import hashlib
import shutil

import numpy as np
import pytest

from colorization import datasets, training
from colorization.core import image_files
from colorization.core.config import ClassificationConfig
from colorization.core.errors import InputError
from colorization.datasets import class_folders, equal_files, loading, photographs

SPLIT = {"train_size": 1000, "dev_size": 1000, "test_size": 1000}


def picture(number, height=20):
    """One color, told from all others by its red and green."""
    return np.full((height, 20, 3), (number % 16 * 16, number // 16 * 16, 200), np.uint8)


def write(folder, numbers, name="{}.png"):
    for number in numbers:
        image_files.write(folder / name.format(number), picture(number))
    return folder


def numbers_of(images):
    return [int(r) // 16 + int(g) // 16 * 16 for r, g in images[:, 0, 0, :2]]


@pytest.fixture(autouse=True)
def data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))


def parts_of(dataset):
    """The numbers in train, dev and test."""
    rows = datasets.split(dataset, 1000, 1000, 1000)
    return [numbers_of(dataset.train.images)] + [
        numbers_of(dataset.test.images[part]) for part in (rows.dev, rows.test)
    ]


def test_equal_files_are_found(tmp_path):
    """Oracle: the files as they were written; equal sizes alone are not equal contents."""
    contents = [b"aa", b"b", b"aa", b"ab", b"", b"b", b"aa", b""]
    files = [tmp_path / str(index) for index in range(8)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    firsts = equal_files.first_equals([*files, tmp_path / "nowhere", tmp_path / "nowhere"])
    assert firsts.tolist() == [0, 1, 0, 3, 4, 1, 0, 4, 8, 9]
    assert equal_files.tell_copies(firsts, "files") == (
        "4 of 10 files are copies of others. Equal files are in the same split.",
    )


def test_copies_of_photographs_are_in_the_same_split_as_the_first_name_decides(tmp_path):
    """Oracle: the split of the same folder without copies."""
    plain = write(tmp_path / "plain", range(200))
    alone = parts_of(datasets.load(photographs.prepare([plain], 16, held_out=0.3), image_size=16))
    copied = shutil.copytree(plain, tmp_path / "copied")
    for number in range(200):
        shutil.copy(plain / f"{number}.png", copied / f"zz copy {number}.jpg")  # sorts last
    dataset = datasets.load(photographs.prepare([copied], 16, held_out=0.3), image_size=16)
    assert dataset.skipped == (
        "200 of 400 photographs are copies of others. Equal files are in the same split.",
    )
    for one, twice in zip(alone, parts_of(dataset), strict=True):
        assert sorted(twice) == sorted(one * 2)


def test_without_copies_a_name_and_the_seed_decide_as_ever(tmp_path):
    """Oracle: the documented rule, computed here: SHA-256 of seed and name below 0.3, and below 0.15."""
    folder = write(tmp_path / "a", range(120))
    dataset = datasets.load(photographs.prepare([folder], 16, held_out=0.3, seed=5), image_size=16)
    draws = {
        number: int.from_bytes(hashlib.sha256(f"5/{number}.png".encode()).digest()[:8]) / 2**64
        for number in range(120)
    }
    train, dev, test = parts_of(dataset)
    assert set(train) == {number for number, draw in draws.items() if draw > 0.3}
    assert set(dev) == {number for number, draw in draws.items() if draw <= 0.15}
    assert set(test) == set(range(120)) - set(train) - set(dev)


@pytest.mark.parametrize("different", [3, 4, 7])
def test_few_photographs_with_copies_fall_together_too(tmp_path, different):
    """Oracle: no number is in two parts, and no part is empty."""
    for copy in range(3):
        write(tmp_path / "few", range(1, different + 1), f"{copy}-{{}}.png")
    parts = parts_of(datasets.load(photographs.prepare([tmp_path / "few"], 16), image_size=16))
    assert sum(map(len, parts)) == 3 * different
    assert len(set().union(*parts)) == sum(len(set(part)) for part in parts)
    assert min(map(len, parts)) >= 3


def test_three_copies_of_two_photographs_are_too_few(tmp_path):
    for copy in range(3):
        write(tmp_path / "few", (1, 2), f"{copy}-{{}}.png")
    with pytest.raises(InputError, match="Only 2 of 6 image files are different color photographs"):
        photographs.prepare([tmp_path / "few"], 16)


def test_copies_in_class_folders_fall_together_across_classes(tmp_path):
    """Oracle: no number is in both parts; the counts of a folder without copies stay."""
    for label, name in enumerate(("cat", "dog")):
        write(tmp_path / "set/train" / name, range(50 * label, 50 * label + 50))
    plain = datasets.load(tmp_path / "set", image_size=16)
    assert np.bincount(plain.test.labels).tolist() == [5, 5]
    for number in range(50):
        shutil.copy(tmp_path / f"set/train/cat/{number}.png", tmp_path / f"set/train/dog/z{number}.png")
        shutil.copy(tmp_path / f"set/train/cat/{number}.png", tmp_path / f"set/train/cat/z{number}.png")
    dataset = datasets.load(tmp_path / "set", image_size=16)
    held_out = list(numbers_of(dataset.test.images))
    assert not set(numbers_of(dataset.train.images)) & set(held_out)
    assert len(set(held_out)) == len(held_out)  # dev and test divide them later
    assert {*numbers_of(dataset.train.images), *held_out} == set(range(100))
    assert dataset.skipped[0].startswith("100 of 200 images are copies of others.")


def test_few_damaged_files_do_not_refuse_a_large_folder(tmp_path):
    """Oracle: the limit; the damaged files are a fifth of all, and more than are read."""
    for name, numbers in (("cat", range(50)), ("dog", range(50, 100))):
        write(tmp_path / "set/train" / name, numbers)
        for number in range(12):
            (tmp_path / "set/train" / name / f"damaged{number}.png").write_bytes(b"")
    dataset = datasets.load(tmp_path / "set", image_size=16, train_limit=6, test_limit=4)
    assert (len(dataset.train), len(dataset.test)) == (6, 4)


def test_a_class_of_copies_keeps_training_images(tmp_path):
    """Oracle: a class of one image, three times, and a larger one."""
    write(tmp_path / "set/train/dog", range(50))
    for copy in range(3):
        write(tmp_path / "set/train/cat", [99], f"{copy}-{{}}.png")
    for seed in range(5):
        dataset = datasets.load(tmp_path / "set", image_size=16, seed=seed)
        assert np.bincount(dataset.train.labels)[0] == 3
        assert np.bincount(dataset.test.labels, minlength=2).tolist() == [0, 5]


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
@pytest.mark.parametrize("classes", [(".",), ("cat", "dog")])
def test_val_is_for_dev_and_test_for_test(tmp_path, val, classes):
    """Oracle: the folders, with classes or flat."""
    for base, part, count in ((0, "train", 20), (100, val, 4), (200, "test", 6)):
        for label, name in enumerate(classes):
            write(tmp_path / "set" / part / name, range(base + 20 * label, base + 20 * label + count))
    dataset = datasets.load(tmp_path / "set", image_size=16)
    train, dev, test = parts_of(dataset)
    assert set(train) <= set(range(100))
    assert {number // 100 for number in dev} == {1}
    assert {number // 100 for number in test} == {2}
    assert (len(dev), len(test)) == (4 * len(classes), 6 * len(classes))
    assert dataset.classes == (("image",) if len(classes) == 1 else classes)
    shutil.rmtree(tmp_path / "set/test")
    dataset = datasets.load(tmp_path / "set", image_size=16)
    assert dataset.dev is None
    assert {number // 100 for number in numbers_of(dataset.test.images)} == {1}


def test_two_folders_for_dev_are_refused(tmp_path):
    for part in ("train", "val", "valid"):
        write(tmp_path / "set" / part, range(3))
    with pytest.raises(InputError, match=r"contains val and valid\. Keep only one of them"):
        datasets.load(tmp_path / "set")


def test_train_alone_without_classes_is_a_folder_of_photographs(tmp_path):
    write(tmp_path / "set/train", range(40))
    assert datasets.load(tmp_path / "set").classes == photographs.CLASSES


def test_files_outside_of_class_folders_are_told(tmp_path):
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            write(tmp_path / "set" / part / name, range(5))
    write(tmp_path / "set/train", [7])
    (tmp_path / "set/train/labels.csv").write_text("a,b")
    shutil.copytree(tmp_path / "set/train/cat", tmp_path / "set/train/cat/.ipynb_checkpoints")
    dataset = datasets.load(tmp_path / "set")
    assert len(dataset.train) == 10
    told = dataset.skipped[0]
    assert all(part in told for part in ("1 outside the class folders", "1 not an image", "1 hidden"))


def gray(count):
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 16, 16, 3))


def test_gray_sets_are_refused_for_colorizers_and_mostly_gray_ones_warned_of(tmp_path, capsys):
    """Oracle: sets made gray to a known share."""
    with pytest.raises(InputError, match="All 20 training images of x are gray"):
        datasets.check_colors(gray(20), "x")
    mixed = gray(20).copy()
    mixed[3] = picture(200)[:16, :16]
    datasets.check_colors(mixed, "x")
    assert "warning: 95% of the training images of x are gray" in capsys.readouterr().err
    mixed[:12] = picture(200)[:16, :16]
    datasets.check_colors(mixed, "x")
    assert capsys.readouterr().err == ""


def test_training_on_a_gray_set_is_refused_and_leaves_nothing(tmp_path):
    for part in ("train", "test"):
        for number in range(4):
            image_files.write(tmp_path / "set" / part / f"{number}.png", gray(9)[number + 3])
    config = ClassificationConfig(data=str(tmp_path / "set"), width=0.03, **SPLIT)
    with pytest.raises(InputError, match="A colorizer needs color images"):
        training.train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_data_set_tells_once_what_was_left_out(tmp_path, capsys):
    for part in ("train", "test"):
        write(tmp_path / "told" / part, range(4))
    (tmp_path / "told/train/notes.txt").write_text("text")
    config = ClassificationConfig(data=str(tmp_path / "told"), **SPLIT)
    for _ in range(2):
        loading.load(config)
    assert capsys.readouterr().err.count("Left out: 1 not an image. The names are in") == 1


def test_class_folders_are_recognized_by_train_and_a_second_folder_or_classes(tmp_path):
    layouts = {"train/a train/b": True, "train/a": False, "train val": True, "test": False}
    for layout, known in layouts.items():
        root = tmp_path / layout.replace("/", "-")
        for folder in layout.split():
            (root / folder).mkdir(parents=True)
        assert class_folders.recognizes(root) is known
