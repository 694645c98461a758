"""The plan of an experiment with Figures 7 and 8: which runs exist, and which are trained. No Keras."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from colorization.core.config import ColorizerConfig, Config, VggConfig, override
from colorization.core.errors import InputError
from colorization.runs.folder import RunFolder
from colorization.runs.old_names import judge_folder
from colorization.runs.resolve import run_folder
from vgg_eval.config import JudgeConfig
from vgg_eval.options import JUDGES, ROLES

Plan = dict[str, tuple[Config | None, Path]]
"""{role or added column: (Config to train, or None for a run that exists; run folder)}."""


def plan(arguments: argparse.Namespace, variants: Mapping[str, Mapping[str, Any]]) -> Plan:
    """The runs of an experiment.

    If the judge is trained from scratch, without pretrained weights, the transfer takes its blocks.

    Args:
        arguments: of the parser.
        variants: {role: {name of a variant: Config}}.

    Returns:
        {role or added column: (Config, run folder)}; the Config is None for a run that is given.

    Raises:
        InputError: a setting is not usable, or a given run does not fit its role.
    """
    chosen = {role: variants[role][arguments.variant] for role in ROLES}
    named = {role: getattr(arguments, role) for role in ROLES}
    given = {role: RunFolder(run_folder(run)) for role, run in named.items() if run}
    if arguments.vgg_weights and chosen["judge"].vgg_weights == "none":
        raise InputError(
            f"The variant {arguments.variant} trains its judge from scratch. Use --vgg-weights with "
            "--variant paper or original only."
        )
    for role, run in given.items():
        _refuse_other_kind(role, run, chosen[role])
        if len(given) < len(ROLES):
            _refuse_other_splits(role, run, chosen[role], arguments.variant)
    run_dirs = {
        role: given[role].path if role in given else _own_folder(role, config, arguments)
        for role, config in chosen.items()
    }
    judge = given["judge"].config if "judge" in given else chosen["judge"]
    pretrained = _pretrained(arguments.vgg_weights, run_dirs["judge"], judge, chosen["judge"])
    data = _data(arguments.data, chosen["regression"])
    planned = {
        role: (None if role in given else _changed(config, data[role], pretrained), run_dirs[role])
        for role, config in chosen.items()
    }
    names = [name for name, _ in arguments.add]
    if len(set(names)) < len(names):
        raise InputError("Two columns of --add have the same name. Choose different names.")
    added = {name: RunFolder(run_folder(run)).expect(ColorizerConfig) for name, run in arguments.add}
    return planned | {name: (None, run.path) for name, run in added.items()}


def _own_folder(role: str, config: Config, arguments: argparse.Namespace) -> Path:
    """The folder of a run that is trained here."""
    if role in JUDGES:
        return judge_folder(arguments.runs, arguments.variant + ("-gray" if role == "control" else ""))
    return arguments.runs / f"{config.task}-{arguments.variant}"


def _pretrained(source: str | None, run_dir: Path, judge: JudgeConfig, planned: JudgeConfig) -> list[str]:
    """The changes to settings that take pretrained weights: the given ones, or those of the judge."""
    if source:
        return [f"vgg_weights={source}"]
    if planned.vgg_weights != "none":
        return []
    batch_norm = str(judge.batch_norm).lower()
    return [f"vgg_weights={run_dir}", f"vgg_width={judge.width}", f"batch_norm={batch_norm}"]


def _data(source: str | None, colorizer: Config) -> dict[str, list[str]]:
    """{role: changes to its settings that take other data}.

    A judge then holds out as many images as the colorizers. Some sources are read up to this number, and
    their split depends on it.
    """
    if not source:
        return {role: [] for role in ROLES}
    held_out = [f"dev_size={colorizer.dev_size}", f"test_size={colorizer.test_size}"]
    return {role: [f"data={source}", *(held_out if role in JUDGES else [])] for role in ROLES}


def _changed(config: Config, data: list[str], pretrained: list[str]) -> Config:
    takes_weights = isinstance(config, VggConfig) and config.vgg_weights != "none"
    changed = override(config, data + (pretrained if takes_weights else []))
    changed.refuse_frozen_noise()
    return changed


def _refuse_other_kind(role: str, run: RunFolder, wanted: Any) -> None:
    """Raise InputError for a given run that does not fit its role, before others are trained for hours."""
    if run.config.task != wanted.task:  # not expect(), to which a transfer is a classification too
        raise InputError(f"{run} has the task {run.config.task!r}, but {wanted.task} is needed.")
    if role in JUDGES and run.config.gray != wanted.gray:
        raise InputError(
            f"{run} was trained with gray={str(run.config.gray).lower()}, so it is not a {role}."
        )


def _refuse_other_splits(role: str, run: RunFolder, wanted: Config, variant: str) -> None:
    """Raise InputError for a given run with held-out images other than those of the variant.

    Colorizers must share theirs. A judge may have other numbers of them.
    """
    for name in ("split_seed",) if role in JUDGES else ("split_seed", "dev_size", "test_size"):
        has, needs = getattr(run.config, name), getattr(wanted, name)
        if has != needs:
            raise InputError(
                f"{run} has {name}={has}, but the runs of the variant {variant} have {needs}. Name runs for "
                "all five roles, or choose another --variant."
            )
