"""Image files, by OpenCV's and Pillow's own words; what is no image gets one sentence."""

import cv2
import numpy as np
import pytest

from colorization.core import image_files
from colorization.core.errors import InputError


def test_png_round_trip_and_rgb_order(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image_files.write(tmp_path / "new folder" / "ü.png", rgb)
    np.testing.assert_array_equal(image_files.read(tmp_path / "new folder" / "ü.png"), rgb)
    assert (cv2.imread(str(tmp_path / "new folder" / "ü.png"))[..., ::-1] == rgb).all()


def test_gray_files_have_three_equal_channels(tmp_path):
    gray = np.arange(20, dtype=np.uint8).reshape(4, 5)
    cv2.imwrite(str(tmp_path / "gray.png"), gray)
    np.testing.assert_array_equal(image_files.read(tmp_path / "gray.png"), np.stack([gray] * 3, -1))


def test_what_is_no_image_is_refused_in_one_sentence_with_its_name(tmp_path):
    whole = tmp_path / "whole.png"
    image_files.write(whole, np.zeros((50, 50, 3), np.uint8))
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:40])
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    for name in ("cut.png", "text.png", "empty.png", "folder.png", "missing.png"):
        with pytest.raises(InputError, match=name) as caught:
            image_files.read(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_an_unknown_format_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="xyz is not the suffix of a picture"):
        image_files.write(tmp_path / "picture.xyz", np.zeros((2, 2, 3), np.uint8))
    assert not list(tmp_path.iterdir())
