"""Trained runs that come with the package: a folder each, with weights in float16, checksums and a card.

A preset is a run folder: whatever takes a run takes a preset's name.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from ..config import FILE
from ..errors import InputError

CHECKSUMS = "SHA256SUMS.json"  # {file name: SHA-256 in hex} of every other file of a preset
CARD = "README.md"
SMALL_PICTURES = "cifar10-classification"
PHOTOGRAPHS = "photos"

_FOLDER = Path(__file__).parent


class Preset(NamedTuple):
    """name, folder, the first line of its card, its task, and the bytes of its files."""

    name: str
    folder: Path
    title: str
    task: str
    size: int


def all_presets():
    """Every Preset that is there, by name."""
    found = []
    for folder in sorted(path.parent for path in _FOLDER.glob(f"*/{FILE}")):
        title = (folder / CARD).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        task = json.loads((folder / FILE).read_text(encoding="utf-8"))["task"]
        size = sum(path.stat().st_size for path in folder.iterdir())
        found.append(Preset(folder.name, folder, title, task, size))
    return found


def path(name):
    """The run folder of a preset, its files checked.

    Raises:
        InputError: there is no such preset, or a file of it is missing or not what it was.
    """
    folder = _FOLDER / name
    if Path(name).name != name or not (folder / FILE).exists():
        names = ", ".join(preset.name for preset in all_presets())
        raise InputError(f"There is no preset {name!r}; the presets are: {names}.")
    try:
        sums = dict(json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder / CHECKSUMS} is missing or damaged ({error}): {_AGAIN}.") from None
    if damaged := [file for file, expected in sums.items() if _sha256(folder / file) != expected]:
        raise InputError(f"{folder / damaged[0]} is missing or damaged: {_AGAIN}.")
    return folder


def run_folder(name_or_path):
    """Path of a run: the run or the exported model under this path, or else the preset of this name, if any.

    A folder that only has a preset's name, such as one of photos, is not in its way.
    """
    here = Path(name_or_path)
    usable = here.is_file() or any((here / name).exists() for name in (FILE, "saved_model.pb"))
    if usable or not (_FOLDER / here.name / FILE).exists() or str(name_or_path) != here.name:
        return here
    return path(here.name)


def contains(run_dir):
    """Whether a run folder is a preset's, which stays as it is."""
    return Path(run_dir).resolve().parent == _FOLDER.resolve()


def default(height, width):
    """Name of the preset that colours a picture of this size unless another is asked for."""
    small = max(height, width) <= 32 and (_FOLDER / SMALL_PICTURES / FILE).exists()
    return SMALL_PICTURES if small else PHOTOGRAPHS


def checksums(folder):
    """{file name: SHA-256} of a preset's files, as text for its CHECKSUMS."""
    names = sorted(path.name for path in folder.iterdir() if path.name != CHECKSUMS)
    return json.dumps({name: _sha256(folder / name) for name in names}, indent=1) + "\n"


def _sha256(file):
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


_AGAIN = "install the package again"
