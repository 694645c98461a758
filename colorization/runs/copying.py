"""Copy a run with other settings and changed weights, as a preset or a tuned run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from colorization.core.config import Config
from colorization.core.typing import StrPath
from colorization.runs import checkpoint_io
from colorization.runs.folder import RunFolder


def copy_run(
    run: RunFolder, path: StrPath, config: Config, change: Callable[[dict[str, np.ndarray]], dict]
) -> RunFolder:
    """Copy the files that a finished run needs. State, samples, logs and metrics are left out.

    Args:
        run: the RunFolder.
        path: path of the new folder, which must not exist.
        config: the Config of the copy.
        change: function from the weights of a file, {name: array}, to those of the copy.

    Returns:
        The new RunFolder.

    Raises:
        InputError: weights are missing or damaged, or a file cannot be written.
    """
    new = RunFolder(path)
    Path(path).mkdir(parents=True)
    new.write_config(config)
    for name in run.portable_files():
        shutil.copyfile(run.path / name, new.path / name)
    for name, source in run.weight_files().items():
        arrays, attributes = checkpoint_io.load(source, "model")
        kept = {key: attributes[key] for key in attributes if key == "epoch"}
        checkpoint_io.save(new.path / name, {"model": change(arrays)}, kept)
    return new
