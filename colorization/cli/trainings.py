"""The trainings of `colorize train`: of the colorizers and of plug-ins. Quick to import.

A plug-in is a module under the entry point `colorization.plugins`, such as that of the judge. It imports
colorization, never the reverse. The module has TRAININGS, {name: Training}, and add_commands(commands), which
adds commands to `colorize` with colorization.cli.console.add_command.
"""

import importlib.metadata
from types import ModuleType

from colorization.cli.training_options import Training
from colorization.training import variants

SIZES = (
    "Variants: smoke takes seconds, small one to three hours on 2 CPU cores. paper has the settings of the\n"
    "paper, original those of its code; both are for a GPU."
)

COLORIZERS = {
    "regression": Training(
        f"Train a regression onto ab (paper, section 4.1.1).\n{SIZES}", variants.REGRESSION
    ),
    "classification": Training(
        f"Train a classification over 313 ab bins (paper, section 4.1.2).\n{SIZES}", variants.CLASSIFICATION
    ),
    "transfer": Training(
        f"Train a classification on the first blocks of VGG16 (paper, section 4.1.2).\n{SIZES}\n"
        "The variant small uses the blocks of the run runs/judge-small. paper and original use ImageNet's.",
        variants.TRANSFER,
        "colorization.cli.train:transfer",
    ),
    "photos": Training(
        "Train a colorizer on folders of photographs, nested or flat. Gray ones are left out.\n"
        "Variants: smoke takes seconds. small trains at 32 pixels, about an hour on 2 CPU cores. fine\n"
        "continues at 64 pixels from --set init_from=RUN. full is for a GPU.",
        variants.PHOTOS,
        "colorization.cli.train:photos",
        name="photos",
        gather="colorization.cli.train:prepare_photos",
    ),
}
"""{name: Training} of the colorizers."""


def plugins() -> list[ModuleType]:
    """The modules of all installed plug-ins."""
    points = importlib.metadata.entry_points(group="colorization.plugins")
    return [point.load() for point in {point.value: point for point in points}.values()]  # each once


def trainings() -> dict[str, Training]:
    """{name: Training} of everything that `colorize train` offers."""
    found = dict(COLORIZERS)
    for plugin in plugins():
        found |= plugin.TRAININGS
    return found
