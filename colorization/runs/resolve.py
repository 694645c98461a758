"""Find presets, runs and exported models by name. The module does not import Keras."""

import json
from pathlib import Path
from typing import NamedTuple

from colorization.core.atomic_io import sha256
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.runs.folder import RunFolder

SMALL_PICTURES = "cifar10-classification"
PHOTOGRAPHS = "photos"

PRESETS = Path(__file__).parents[1] / "presets"
"""The folder of the presets."""

_AGAIN = "Install the package again"


class Preset(NamedTuple):
    """A trained run that comes with the package.

    Attributes:
        name: of the preset.
        folder: Path.
        title: the first line of its card.
        task: name of its task.
        size: bytes of its files.
    """

    name: str
    folder: Path
    title: str
    task: str
    size: int


def all_presets() -> list[Preset]:
    """Every Preset, sorted by name."""
    return [_preset(path) for path in sorted(PRESETS.iterdir()) if RunFolder(path).exists()]


def _preset(folder: Path) -> Preset:
    run = RunFolder(folder)
    title = run.card_path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Preset(folder.name, folder, title, run.task, size)


def preset_folder(name: str) -> Path:
    """Find the folder of a preset, and check its files.

    Args:
        name: name of the preset.

    Returns:
        Path of the folder.

    Raises:
        InputError: the preset does not exist, or one of its files is missing or damaged.
    """
    run = RunFolder(PRESETS / name)
    if not _is_preset(name):
        names = ", ".join(preset.name for preset in all_presets())
        raise InputError(f"The preset {name!r} does not exist. The presets are: {names}.")
    try:
        sums = dict(json.loads(run.checksums_path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{run.checksums_path} is missing or damaged ({error}). {_AGAIN}.") from None
    if damaged := [file for file, expected in sums.items() if _sha256(run.path / file) != expected]:
        raise InputError(f"{run.path / damaged[0]} is missing or damaged. {_AGAIN}.")
    return run.path


def run_folder(name_or_path: StrPath) -> Path:
    """Find a run or an exported model: at a path, or else the preset of this name.

    A folder without a run does not hide a preset of the same name.

    Args:
        name_or_path: name of a preset, or a path.

    Returns:
        Path of the run or model. A path without a run is returned unchanged.

    Raises:
        InputError: the preset is damaged.
    """
    here = Path(name_or_path)
    usable = here.is_file() or RunFolder(here).exists() or (here / "saved_model.pb").exists()
    return here if usable or not _is_preset(name_or_path) else preset_folder(here.name)


def is_shipped(run: RunFolder) -> bool:
    """Whether a run is a preset inside the package, which must not change.

    Args:
        run: a RunFolder.

    Returns:
        True for a preset of the package.
    """
    return run.path.resolve().parent == PRESETS.resolve()


def default_preset(height: int, width: int) -> str:
    """The preset for pictures of a size.

    Args:
        height: of the pictures, in pixels.
        width: of the pictures, in pixels.

    Returns:
        Name of the preset.
    """
    small = max(height, width) <= 32 and _is_preset(SMALL_PICTURES)
    return SMALL_PICTURES if small else PHOTOGRAPHS


def checksums(folder: Path) -> str:
    """The checksums of the files of a preset.

    Args:
        folder: Path of the preset.

    Returns:
        JSON text of {file name: SHA-256 in hex}.
    """
    own = RunFolder(folder).checksums_path.name
    names = sorted(path.name for path in folder.iterdir() if path.name != own)
    return json.dumps({name: sha256(folder / name) for name in names}, indent=1) + "\n"


def _is_preset(name: StrPath) -> bool:
    return Path(name).name == str(name) and RunFolder(PRESETS / name).exists()


def _sha256(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None
