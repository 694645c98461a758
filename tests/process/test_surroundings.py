"""The surroundings of a command: keras.json, and a standard output that ends or is full."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data

from colorization.core import image_files

START = (
    "from colorization.core.quiet_start import start_keras; from colorization.core.errors import InputError\n"
    "try: start_keras()\n"
    "except InputError as error: print(error)\n"
    "else: import keras; c = keras.config; print(c.floatx(), c.epsilon(), c.image_data_format())"
)
DEFAULTS = "float32 1e-07 channels_last"


def started(home, settings):
    """The output of a new process that starts Keras with a keras.json."""
    home.mkdir()
    (home / "keras.json").write_text(settings)
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", START],
        env=environment | {"KERAS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def test_settings_of_other_programs_do_not_change_the_networks(tmp_path):
    """Oracle: the defaults of Keras."""
    settings = {"floatx": "float16", "epsilon": 1e-2, "image_data_format": "channels_first"}
    assert started(tmp_path / "home", json.dumps(settings)) == DEFAULTS


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("[1]", "keras.json is not a JSON object. Correct or delete this file."),
        ('{"floatx": "float99"}', "Correct or delete this file."),
        ('{"epsilon": "small"}', "Correct or delete this file."),
        ('{"backend": 5}', "selects the backend 5, which is not supported. Set it to tensorflow or jax."),
    ],
)
def test_wrong_settings_get_one_sentence_with_the_file(tmp_path, settings, sentence):
    output = started(tmp_path / "home", settings)
    assert str(tmp_path / "home/keras.json") in output
    assert output.endswith(sentence)


def presets(output):
    """(exit code, standard error) of `colorize presets` with a file descriptor as standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "colorization.cli", "presets"],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_reader_of_the_output_may_end_first():
    """Oracle: the exit code of a program that a broken pipe ends, 128 + 13, and no message."""
    reading, writing = os.pipe()
    os.close(reading)
    assert presets(writing) == (141, "")
    os.close(writing)


def test_the_reader_of_a_picture_may_end_first(tmp_path):
    """The same for a picture; and one sentence if there is no standard output at all."""
    image_files.write(tmp_path / "a.png", data.coffee()[::8, ::8])
    command = f"{sys.executable} -m colorization.cli image {tmp_path / 'a.png'} -o -"
    for closed, code, message in (("", 141, ""), (" >&-", 2, "Standard output is closed")):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            ["sh", "-c", command + closed], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(writing)
        assert done.returncode == code
        assert message in done.stderr if message else not done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_told_in_one_sentence():
    with Path("/dev/full").open("w") as full:
        assert presets(full) == (2, "error: a file or standard output: No space left on device.\n")
