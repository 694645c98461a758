"""Folders of photographs: found, read, gray ones left out, split by a seed."""

import itertools
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import data

from colorization import datasets
from colorization.core import image_files
from colorization.core.config import ClassificationConfig
from colorization.core.errors import InputError
from colorization.datasets import decoder, loading, prepared
from colorization.datasets import photographs as photos

COLORED = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Nested and flat: 40 colored crops, 5 gray ones, 1 text called .jpg, 1 hidden picture."""
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    root = tmp_path / "pictures"
    for i in range(40):
        picture = COLORED[i % 4][10 * (i // 4) :][:120, :150]
        image_files.write(
            root / ("" if i % 2 else f"deep/er/{i % 3}") / f"{i}{('.png', '.JPG')[i % 2]}", picture
        )
    for i in range(5):
        gray = cv2.cvtColor(COLORED[i % 4][:50, :60], cv2.COLOR_RGB2GRAY)
        image_files.write(root / "gray" / f"{i}.png", cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB))
    (root / "text.jpg").write_text("no picture")
    image_files.write(root / ".cache" / "thumbnail.png", COLORED[0][:20, :20])
    return root


def test_what_is_kept_and_what_is_left_out(folder):
    """Oracle: the folder as it was made; each kept picture is the central square of a file, resized."""
    path = photos.prepare([folder], 40, held_out=0.1, seed=3)
    dataset = datasets.load(path, image_size=40)
    assert len(dataset.train) + len(dataset.test) == 40
    assert 1 <= len(dataset.test) <= 9
    told = "Left out: 5 gray or nearly gray, 1 hidden, 1 cannot be read."
    assert dataset.skipped == (f"{told} The names are in {path}-skipped-files.txt.",)
    listed = path.with_name(f"{path.name}-skipped-files.txt").read_text().splitlines()
    assert listed[:2] == [f"cannot be read\t{folder}/text.jpg", f"gray or nearly gray\t{folder}/gray/0.png"]
    assert listed[-1] == f"hidden\t{folder}/.cache"
    files = [
        file for file in folder.rglob("*") if file.suffix in (".png", ".JPG") and "gray" not in file.parts
    ]
    squares = {
        datasets.base.to_square(image_files.read(file), 40).tobytes()
        for file in files
        if ".cache" not in file.parts
    }
    kept = {picture.tobytes() for part in (dataset.train, dataset.test) for picture in part.images}
    assert kept == squares
    assert photos.prepare([folder], 40, held_out=0.1, seed=3) == path
    larger = datasets.load(photos.prepare([folder], 80, held_out=0.1, seed=3), image_size=40)
    assert len(larger.test) == len(dataset.test)
    difference = larger.test.images.astype(int) - dataset.test.images
    assert np.abs(difference).mean(axis=(1, 2, 3)).max() < 8
    others = (photos.prepare([folder], 40, held_out=0.1, seed=seed) for seed in (4, 5))
    held_out = [datasets.load(other, image_size=40).test.images.tobytes() for other in (path, *others)]
    assert len(set(held_out)) == 3
    (folder / "1.JPG").unlink()
    assert photos.prepare([folder], 40, held_out=0.1, seed=3) != path


def test_what_is_held_out_is_for_the_same_split_at_every_side_and_beside_other_folders(folder, tmp_path):
    """Oracle: 60 pictures of one color each, told apart by it."""
    levels = itertools.product((0, 85, 170, 255), repeat=3)
    for color in (color for color in levels if len(set(color)) > 1):
        name = "-".join(map(str, color))
        image_files.write(tmp_path / "plain" / f"{name}.png", np.full((20, 20, 3), color, np.uint8))

    def colors(folders, side):
        dataset = datasets.load(photos.prepare(folders, side, held_out=0.4), image_size=16)
        rows = datasets.split(dataset, seed=7)
        return [set(map(tuple, dataset.test.images[part][:, 0, 0])) for part in (rows.dev, rows.test)]

    alone, beside = colors([tmp_path / "plain"], 32), colors([folder, tmp_path / "plain"], 40)
    for here, there in zip(alone, beside, strict=True):
        assert len(here) > 5
        assert here < there


@pytest.mark.parametrize("count", [3, 4, 10])
def test_few_photographs_still_make_three_splits(folder, tmp_path, count):
    """Oracle: no part is empty, and together they are all; by other names they are another set."""
    few = tmp_path / "outer" / "few"
    for i in range(count):
        image_files.write(few / f"{i}.png", COLORED[i % 4][10 * i :][:80, :80])
    (few / "broken.jpg").symlink_to(few / "nowhere.jpg")
    dataset = datasets.load(photos.prepare([few], 16), image_size=16)
    rows = datasets.split(dataset)
    parts = [len(rows.train), len(rows.dev), len(rows.test)]
    assert min(parts) >= 1
    assert sum(parts) == count
    assert photos.prepare([few], 16) != photos.prepare([few.parent], 16)


def test_crops_come_from_the_photographs_that_were_split(folder):
    """Oracle: the same images, smaller; one picture's red dots are lost at 16 pixels and seen at 24."""
    dotted = np.full((96, 96, 3), 120, np.uint8)
    dotted[::6, ::6] = dotted[::6, 1::6] = (200, 30, 30)
    assert photos.is_gray(datasets.base.to_square(dotted, 16))
    assert not photos.is_gray(datasets.base.to_square(dotted, 24))
    image_files.write(folder / "a.png", dotted)
    settings = ClassificationConfig(data=str(folder), image_size=16, crop_from=24, train_size=30)
    loaded = loading.load(settings)
    data = loading.run_data(settings, loaded, loading.split(settings, loaded))
    assert data.train.images.shape[1:] == (24, 24, 3)
    assert data.dev.images.shape[1:] == (16, 16, 3)
    again = np.stack([datasets.base.to_square(picture, 16) for picture in data.train.images]).astype(int)
    assert np.abs(again - loaded.train.images[data.splits.train]).mean((1, 2, 3)).max() < 8


def test_any_folder_is_a_data_set(folder):
    """Oracle: what prepare kept."""
    dataset = datasets.load(folder, image_size=24)
    assert dataset.classes == ("photograph",)
    assert len(dataset.train) + len(dataset.test) == 40


def test_bad_folders_are_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for bad, sentence in (
        (tmp_path / "nothing", "is not a directory"),
        (folder / "text.jpg", "is not a directory"),
        (tmp_path / "empty", "holds no images"),
        (
            folder / "gray",
            r"Only 0 of 5 image files are different color photographs \(5 gray or nearly gray\)",
        ),
    ):
        with pytest.raises(InputError, match=sentence):
            photos.prepare([bad], 32)
    assert not (tmp_path / "data").exists()


def test_gray_is_told_by_the_share_of_colored_pixels():
    """Oracle: pictures of which just so many pixels are red."""
    picture = np.full((100, 100, 3), 120, np.uint8)
    for count, gray in ((0, True), (150, True), (250, False)):
        painted = picture.copy()
        painted.reshape(-1, 3)[:count] = (200, 30, 30)
        assert photos.is_gray(painted) is gray
    assert photos.is_gray(picture + np.array([3, 0, 0], np.uint8))


def test_processes_make_the_same_set(folder, monkeypatch):
    """Oracle: the set that one process makes. A file that kills its process is left out."""
    alone = photos.prepare([folder], 32)
    expected = {name: (alone / name).read_bytes() for name in prepared.ARRAYS}
    shutil.rmtree(alone)
    monkeypatch.setattr(decoder, "_FEW", 1)
    path = photos.prepare([folder], 32)
    assert path == alone
    assert {name: (path / name).read_bytes() for name in prepared.ARRAYS} == expected
    assert not [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")]


def test_a_file_that_ends_its_process_is_left_out(folder, tmp_path, monkeypatch):
    """The process gets a signal in place of the file's content. Oracle: the codes of the files around it."""
    files = [*sorted(folder.glob("*.JPG"))[:3]]
    monkeypatch.setattr(decoder, "_FEW", 1)
    monkeypatch.setattr(decoder.os, "cpu_count", lambda: 1)
    start = decoder._Process._start

    def fragile(process):
        start(process)
        killer = f"import os,sys; [os.kill(os.getpid(), 9) if {files[1].name!r} in l else print(1, flush=True) for l in sys.stdin]"
        process.close()
        process.process = subprocess.Popen(
            [sys.executable, "-c", killer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    monkeypatch.setattr(decoder._Process, "_start", fragile)
    _, codes = decoder.decode_all(files, 16, tmp_path)
    assert codes.tolist() == [decoder.KEPT, decoder.LEFT_UNREADABLE, decoder.KEPT]


def test_an_interrupted_preparation_goes_on(folder, monkeypatch):
    """Oracle: the set of a preparation never interrupted, and the number of files decoded again."""
    alone = photos.prepare([folder], 32)
    expected = {name: (alone / name).read_bytes() for name in prepared.ARRAYS}
    shutil.rmtree(alone)
    decode, decoded = decoder._decode, []

    def interrupted(file, pictures, row):
        decoded.append(row)
        if len(decoded) == 30:
            raise KeyboardInterrupt
        return decode(file, pictures, row)

    monkeypatch.setattr(decoder, "_decode", interrupted)
    monkeypatch.setattr(decoder, "_BLOCK", 5)
    with pytest.raises(KeyboardInterrupt):
        photos.prepare([folder], 32)
    assert not prepared.recognizes(alone)
    done = len(decoded)
    assert photos.prepare([folder], 32) == alone
    assert len(decoded) < done + 46 - 20
    assert {name: (alone / name).read_bytes() for name in prepared.ARRAYS} == expected
    assert not [entry.name for entry in alone.parent.iterdir() if entry.name.startswith(".")]
