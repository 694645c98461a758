"""What the scripts of Figures 7 and 8 share: the runs they take, and the training of those missing."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from colorization.core import config
from colorization.core.errors import InputError
from colorization.runs.resolve import run_folder

ROLES = {
    "judge": "the judge, trained on colored images",
    "control": "the judge that is trained on gray ones",
    "regression": "the regression colorizer",
    "classification": "the classification colorizer",
    "transfer": "the transfer colorizer",
}
"""Role of a run -> what it is; in the order of training, as the transfer may take the judge's blocks."""


JUDGES = ("judge", "control")
_SUFFIX = {"control": "-gray"}  # as the preset's name has it

PRESETS = ("smoke", "small", "paper")


def parser(doc):
    """The argparse.ArgumentParser that the figures have in common; `doc` is the script's docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--preset", choices=PRESETS, default="small", help="of runs that are trained here (default: small)"
    )
    for role, what in ROLES.items():
        parser.add_argument(
            f"--{role}",
            metavar="RUN",
            help=f"{what}: a run folder or a name of `colorize presets` (default: trained by the preset)",
        )
    parser.add_argument(
        "--data", metavar="SOURCE", help="of runs that are trained here: cifar10, synthetic or a path"
    )
    parser.add_argument(
        "--vgg-weights",
        metavar="SOURCE",
        help="of runs that are trained here: imagenet, a file, or a judge's run",
    )
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="where they go (default: runs)"
    )
    parser.add_argument("--split", choices=("test", "dev"), default="test", help="(default: test)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="default: RUNS/figures-PRESET, or -dev"
    )
    return parser


def output(arguments):
    """The folder that the arguments name for the results."""
    name = f"figures-{arguments.preset}" + ("-dev" if arguments.split == "dev" else "")
    return arguments.output or arguments.runs / name


def plan(arguments, presets):
    """{role: (Config, run folder)} of the arguments; the Config is None where the run is given.

    Where the judge is trained from scratch, no pretrained weights being at hand, the transfer takes its
    blocks.

    Args:
        arguments: what the parser gives.
        presets: {role: {preset's name: Config}}.

    Raises:
        InputError: a setting is not usable, or a given run is not what it is given for.
    """
    named = {role: getattr(arguments, role) for role in ROLES}
    given = {role: run and run_folder(run) for role, run in named.items()}
    chosen = {role: presets[role][arguments.preset] for role in ROLES}
    run_dirs = {
        role: given[role] or arguments.runs / f"{settings.task}-{arguments.preset}{_SUFFIX.get(role, '')}"
        for role, settings in chosen.items()
    }
    if arguments.vgg_weights and chosen["judge"].vgg_weights == "none":
        raise InputError(
            f"The preset {arguments.preset} trains its judge from scratch: --vgg-weights goes with --preset "
            "paper."
        )
    kept = {
        role: config.read(run_dir / config.FILE, {chosen[role].task: type(chosen[role])})
        for role, run_dir in given.items()
        if run_dir
    }
    for role, settings in kept.items():
        _refuse_other_kind(role, given[role], settings, chosen[role])
        if len(kept) < len(ROLES):
            _refuse_other_splits(role, given[role], settings, chosen[role], arguments.preset)
    pretrained = []
    if arguments.vgg_weights:
        pretrained = [f"vgg_weights={arguments.vgg_weights}"]
    elif chosen["judge"].vgg_weights == "none":
        pretrained = _blocks(run_dirs["judge"], kept.get("judge", chosen["judge"]))
    planned = {}
    for role, settings in chosen.items():
        changes = [f"data={arguments.data}"] if arguments.data else []
        changes += pretrained if settings.vgg_weights != "none" else []
        planned[role] = (None if role in kept else config.override(settings, changes), run_dirs[role])
        if role not in kept:
            config.refuse_frozen_noise(planned[role][0])
    return planned


def _blocks(run_dir, judge):
    """What a transfer is set to that takes the blocks of a judge, by its run folder and its settings."""
    batch_norm = json.dumps(judge.batch_norm)
    return [f"vgg_weights={run_dir}", f"vgg_width={judge.width}", f"batch_norm={batch_norm}"]


def _refuse_other_kind(role, run_dir, settings, wanted):
    """Raise InputError for a given run that is not of its role: before others are trained for hours."""
    if getattr(settings, "gray", None) != getattr(wanted, "gray", None):
        raise InputError(f"{run_dir} was trained with gray={str(settings.gray).lower()}: it is no {role}.")


def _refuse_other_splits(role, run_dir, settings, wanted, preset):
    """Raise InputError for a given run beside which the preset's would hold out other images.

    Of one seed a judge has seen no test image, whatever the sizes; colorizers must share theirs.
    """
    for name in ("split_seed",) if role in JUDGES else ("split_seed", "dev_size", "test_size"):
        has, needs = getattr(settings, name), getattr(wanted, name)
        if has != needs:
            raise InputError(
                f"{run_dir} has {name}={has}, what the preset {preset} trains has {needs}: give runs for all "
                "five, or another --preset."
            )


def _refuse_strangers(given):
    """Raise InputError for given runs without weights, or that do not belong together."""
    from colorization.runs import folder

    from vgg_eval import judge

    for run_dir in given.values():
        folder.read_weights(run_dir)
    colorizers = [run_dir for role, run_dir in given.items() if role not in JUDGES]
    if colorizers:
        judge.images(colorizers, [given[role] for role in JUDGES if role in given], "test")


def _with_own_decoding(settings, run_dir):
    """The settings, with the temperature and the working size of the run that is there, if any."""
    path = run_dir / config.FILE
    if not path.exists():
        return settings
    kept = config.read(path, {settings.task: type(settings)})
    own = {name: getattr(kept, name) for name in ("temperature", "working_size") if name in vars(kept)}
    return replace(settings, **own)


def run(planned):
    """Train what of a plan is not trained yet; what was begun is resumed.

    Args:
        planned: {role: (Config, or None for a run that is there, and its folder)}.

    Returns:
        report.Runs.

    Raises:
        InputError: a training cannot be done; those finished before it stay.
    """
    from colorization.training import train

    from vgg_eval import figure7
    from vgg_eval import training as judge_training

    _refuse_strangers({role: run_dir for role, (settings, run_dir) in planned.items() if settings is None})
    for role in ROLES:
        settings, run_dir = planned[role]
        if settings is not None:
            print(f"\n== {role}: {run_dir}", file=sys.stderr)
            train = judge_training.train if role in JUDGES else train.train
            train(_with_own_decoding(settings, run_dir), run_dir, resume=True)
    run_dirs = {role: run_dir for role, (_, run_dir) in planned.items()}
    return figure7.Runs(judge=run_dirs.pop("judge"), control=run_dirs.pop("control"), colorizers=run_dirs)
