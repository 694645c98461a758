"""Listing the images of a folder: by content, through links, without hidden ones; the rest is counted."""

import os
import threading

import cv2
import numpy as np
import pytest

from colorization.cli import main
from colorization.core import image_files
from colorization.core.errors import printable

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)

# By their specifications; OpenCV 5 writes all of the others
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
HEIC_BY_COMPATIBLE_BRAND = b"\0\0\0\x1cftypxxxx\0\0\0\0mif1miafheic" + bytes(64)
JPEG_XL = b"\xff\x0a" + bytes(64)
MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(64)


def encoded(suffix):
    return cv2.imencode(suffix, PIXELS)[1].tobytes()


def make(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def names(folder, listing):
    return [path.relative_to(folder).as_posix() for path in listing.images]


def reasons(folder, listing):
    return {path.relative_to(folder).as_posix(): reason for path, reason in listing.skipped.items()}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff", ".bmp", ".gif", ".jp2", ".avif"])
def test_images_are_recognized_by_content_whatever_their_suffix(tmp_path, suffix):
    """Oracle: OpenCV's encoder of each format."""
    if not cv2.haveImageWriter(suffix):
        pytest.skip(f"this OpenCV has no {suffix}")
    content = encoded(suffix)
    make(tmp_path, {"a": content, "b.jfif": content, "c.JPE": content, "d.txt": content})
    listing = image_files.list_images(tmp_path)
    assert names(tmp_path, listing) == ["a", "b.jfif", "c.JPE", "d.txt"]
    assert listing.skipped == {}
    assert image_files.read(tmp_path / "a").shape == PIXELS.shape


@pytest.mark.parametrize("start", [b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0", b"MM\0*"])
def test_every_kind_of_tiff_is_recognized(start):
    """Oracle: the TIFF 6 and BigTIFF specifications."""
    assert image_files.image_format(start + bytes(30)) == "TIFF"


@pytest.mark.parametrize("start", [HEIC, HEIC_BY_COMPATIBLE_BRAND])
def test_heic_is_recognized_by_its_brands(tmp_path, start):
    """Oracle: ISO/IEC 23008-12, whose brands begin the file."""
    make(tmp_path, {"phone": start})
    assert names(tmp_path, image_files.list_images(tmp_path)) == ["phone"]


def test_what_is_left_out_has_a_reason(tmp_path):
    """Oracle: the folder as it was made."""
    png = encoded(".png")
    make(
        tmp_path,
        {
            "a.png": png,
            "notes.txt": b"BMW and GIF are words",
            "empty": b"",
            "film.mp4": MP4,
            "new.jxl": JPEG_XL,
            "raw.NEF": encoded(".tiff"),
            "zero.jpg": bytes(100),
            "BMP.txt": b"BM of a text that goes on and on",
            ".ipynb_checkpoints/a-checkpoint.png": png,
            "deep/._a.png": png,
        },
    )
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    listing = image_files.list_images(tmp_path)
    assert names(tmp_path, listing) == ["a.png"]
    assert reasons(tmp_path, listing) == {
        ".ipynb_checkpoints": "hidden",
        "BMP.txt": "not an image",
        "deep/._a.png": "hidden",
        "empty": "not an image",
        "film.mp4": "not an image",
        "gone.png": "broken link",
        "new.jxl": "format not supported",
        "notes.txt": "not an image",
        "pipe.png": "not an image",
        "raw.NEF": "format not supported",
        "zero.jpg": "cannot be read",
    }


def test_links_are_followed_and_loops_end(tmp_path):
    """Oracle: each real folder once, under its own name where it has one below the root."""
    png = encoded(".png")
    root = make(tmp_path / "root", {"z/a.png": png, "b.png": png})
    outside = make(tmp_path / "outside", {"c.png": png, "deep/d.png": png})
    (root / "linked").symlink_to(outside)
    (root / "again").symlink_to(root / "z")  # its name sorts first, but the folder has a name of its own
    (root / "z/loop").symlink_to(root)
    (outside / "deep/up").symlink_to(outside)
    (root / "link.png").symlink_to(outside / "c.png")
    (root / "self").symlink_to(root / "self")
    listing = image_files.list_images(root)
    assert names(root, listing) == ["b.png", "link.png", "linked/c.png", "linked/deep/d.png", "z/a.png"]
    assert reasons(root, listing) == {
        "again": "link to a folder listed before",
        "linked/deep/up": "link to a folder listed before",
        "self": "broken link",
        "z/loop": "link to a folder listed before",
    }


def test_many_links_to_each_other_end_soon(tmp_path):
    """Oracle: time. Every order of 12 folders that link to each other would be 479 million paths."""
    for i in range(12):
        make(tmp_path, {f"{i}/a.png": encoded(".png")})
    for i in range(12):
        for j in range(12):
            (tmp_path / f"{i}/to{j}").symlink_to(tmp_path / f"{j}")
    found = []
    thread = threading.Thread(target=lambda: found.append(image_files.list_images(tmp_path)), daemon=True)
    thread.start()
    thread.join(20)
    assert len(found[0].images) == 12


def test_unreadable_folders_and_files_are_told(tmp_path, monkeypatch, capsys):
    """Oracle: what raises PermissionError, as for anyone but root."""
    make(tmp_path, {"a.png": encoded(".png"), "locked/b.png": encoded(".png"), "c.png": encoded(".png")})
    path_type = type(tmp_path)
    iterdir, opened = path_type.iterdir, path_type.open

    def refuse(name, function):
        def call(path, *arguments, **options):
            if path.name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *arguments, **options)

        return call

    monkeypatch.setattr(path_type, "iterdir", refuse("locked", iterdir))
    monkeypatch.setattr(path_type, "open", refuse("c.png", opened))
    listing = image_files.list_images(tmp_path)
    assert names(tmp_path, listing) == ["a.png"]
    assert reasons(tmp_path, listing) == {"c.png": "cannot be read", "locked": "folder cannot be read"}
    told = str(
        image_files.no_images(tmp_path / "locked", image_files.list_images(tmp_path / "locked").skipped)
    )
    assert told.endswith("locked cannot be read: change its permissions.")
    target = ["-o", str(tmp_path / "out"), "--model", "cifar10-classification"]
    assert main.main(["image", str(tmp_path), *target]) == 1
    told = capsys.readouterr().err
    assert f"{tmp_path / 'c.png'} cannot be read: Permission denied." in told
    assert f"{tmp_path / 'locked'} cannot be read: Permission denied." in told


def test_the_order_is_that_of_the_names(tmp_path):
    """Oracle: sorting the names as text, whatever the file system's order."""
    wanted = sorted(f"{a}{b}" for a in ("a", "a-b/", "a/", "B/", "é/") for b in ("1.png", "10.png", "2.png"))
    make(tmp_path, dict.fromkeys(reversed(wanted), encoded(".png")))
    assert names(tmp_path, image_files.list_images(tmp_path)) == wanted


def test_skipped_files_are_counted_and_listed_with_names_that_are_not_utf8(tmp_path):
    """Oracle: the sentence and the file, in plain ASCII where a byte is not UTF-8."""
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.jpg")
    skipped = {tmp_path / odd: "cannot be read", tmp_path / "b": "hidden", tmp_path / "c": "hidden"}
    place = tmp_path / "new" / "list.txt"
    told = image_files.tell_skipped(skipped, place)
    assert told == (f"Left out: 2 hidden, 1 cannot be read. The names are in {place}.",)
    assert place.read_text() == (
        f"cannot be read\t{tmp_path}/caf\\xe9\\n.jpg\nhidden\t{tmp_path}/b\nhidden\t{tmp_path}/c\n"
    )
    assert image_files.tell_skipped({}, place) == ()
    (tmp_path / "file").touch()
    (told,) = image_files.tell_skipped(skipped, tmp_path / "file" / "list.txt")
    assert "The list of names" in told
    assert "cannot be written" in told


def test_printable_leaves_ordinary_names_alone():
    assert printable("größe – 写真.png") == "größe – 写真.png"
    assert printable(os.fsdecode(b"a\xff\x1b[31m")) == "a\\xff\\x1b[31m"


def test_colorize_image_takes_what_the_lister_finds_and_counts_the_rest(tmp_path, capsys, monkeypatch):
    """Oracle: the folder as it was made."""
    monkeypatch.chdir(tmp_path)
    folder = make(
        tmp_path / "in", {"a": encoded(".jpg"), "b.jfif": encoded(".jpg"), "c.txt": b"text", ".d.png": b""}
    )
    make(tmp_path, {"other/e.gif": encoded(".gif")})
    (folder / "linked").symlink_to(tmp_path / "other")
    command = ["image", "in", "-o", "out", "--working-size", "16"]
    assert main.main(command) == 0
    told = capsys.readouterr().err
    assert "Left out: 1 hidden, 1 not an image. The names are in out/skipped-files.txt." in told
    assert sorted(path.name for path in (tmp_path / "out").rglob("?.*")) == ["a.jpg", "b.jpg", "e.png"]
    (folder / "broken.jpg").write_bytes(b"")
    assert main.main([*command, "--resume"]) == 1
    assert "broken.jpg is empty: give an image file." in capsys.readouterr().err
