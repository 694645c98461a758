"""docs/guides/add_a_task.md, followed on a copy of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from skimage import data
from support import documents

from colorization.core import image_files

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/guides/add_a_task.md"


def test_the_added_task(tmp_path):
    """Oracle: the guide's files and changes make a checkout in which its commands and tests succeed."""
    for name in ("colorization", "vgg_eval", "experiments", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    image_files.write(tmp_path / "photo.jpg", data.chelsea())
    for block in documents.blocks(GUIDE):
        if block.caption:
            documents.apply(block, tmp_path)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{tmp_path / 'tests'}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "support.documents", GUIDE],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "colored-by-unet" / "photo.jpg").exists()
