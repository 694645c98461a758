"""The plan of Figures 7 and 8: what is trained, by which settings, and what is refused."""

import argparse
import dataclasses
import shutil
from pathlib import Path

import pytest

from colorization.core.config import override
from colorization.core.errors import InputError
from colorization.datasets import loading
from colorization.runs import RunFolder
from vgg_eval import chain, options, plan
from vgg_eval.config import JudgeConfig


@pytest.fixture(scope="module")
def variants(experiments):
    return experiments["figure7"].VARIANTS


def planned(variants, *words):
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    return plan.plan(parser.parse_args([str(word) for word in words]), variants)


def configured(path, config):
    """A folder with a config and nothing else."""
    RunFolder(path).write_config(config)
    return path


def test_a_plan_trains_what_is_not_given(variants, tmp_path):
    """Oracle: the rules: from scratch the transfer takes the judge's blocks, else the given weights."""
    mine = configured(tmp_path / "mine", variants["regression"]["small"])
    found = planned(variants, "--regression", mine, "--data", "synthetic")
    assert found["regression"] == (None, mine)
    assert found["judge"][1:] == (Path("runs/judge-small"),)
    assert found["control"][1] == Path("runs/judge-small-gray")
    assert found["control"][0].gray
    assert found["judge"][0].vgg_weights == "none"
    assert found["transfer"][0].vgg_weights == "runs/judge-small"
    assert found["classification"][0].data == "synthetic"
    held_out = planned(variants, "--variant", "paper", "--data", "pictures")["judge"][0]
    assert (held_out.data, held_out.dev_size, held_out.test_size) == ("pictures", 5_000, 5_000)
    held_out = planned(variants, "--variant", "paper")["judge"][0]
    assert (held_out.data, held_out.dev_size, held_out.test_size) == ("cifar10", 1_000, 1_000)
    narrow = configured(
        tmp_path / "narrow", dataclasses.replace(variants["judge"]["small"], width=0.25, batch_norm=False)
    )
    transfer = planned(variants, "--judge", narrow)["transfer"][0]
    assert (transfer.vgg_weights, transfer.vgg_width, transfer.batch_norm) == (str(narrow), 0.25, False)
    found = planned(variants, "--variant", "paper", "--vgg-weights", "vgg.npz")
    assert {found[role][0].vgg_weights for role in ("judge", "control", "transfer")} == {"vgg.npz"}
    found = planned(variants, "--variant", "paper")
    assert found["transfer"][0] == variants["transfer"]["paper"]
    assert found["transfer"][0].vgg_weights == "imagenet"


def test_judges_of_version_0_1_are_found(variants, tmp_path):
    """Oracle: their folders' names, as long as there are none of today's."""
    for name in ("vgg-small", "vgg-small-grey"):
        (tmp_path / name).mkdir()
    found = planned(variants, "--runs", tmp_path)
    assert [found[role][1].name for role in options.JUDGES] == ["vgg-small", "vgg-small-grey"]
    (tmp_path / "judge-small").mkdir()
    assert planned(variants, "--runs", tmp_path)["judge"][1].name == "judge-small"


def test_an_old_option_stands_for_the_new_one(variants, capsys):
    """Oracle: equality, and the message."""
    assert planned(variants, "--preset", "paper") == planned(variants, "--variant", "paper")
    assert capsys.readouterr().err == "--preset is deprecated: use --variant.\n"


def test_what_does_not_fit_is_refused(variants, used, tmp_path):
    reseeded = configured(
        tmp_path / "reseeded", dataclasses.replace(variants["judge"]["small"], split_seed=7)
    )
    colorizers = {task: run.path for task, run in used.colorizers.items()}
    for words, sentence in (
        (["--vgg-weights", "imagenet"], "small trains its judge from scratch"),
        (["--variant", "paper", "--vgg-weights", "none"], "Frozen blocks need pretrained weights"),
        (["--regression", used.judge], "has the task 'judge', but regression"),
        (["--transfer", colorizers["classification"]], "has the task 'classification'"),
        (["--judge", used.control], "was trained with gray=true, so it is not a judge"),
        (["--control", used.judge], "was trained with gray=false, so it is not a control"),
        (["--judge", "nowhere"], "is not a run folder"),
        (["--judge", reseeded], "has split_seed=7, but the runs of the variant small have 0"),
        (["--regression", colorizers["regression"]], "has dev_size=20, but the runs of the variant small"),
    ):
        with pytest.raises(InputError, match=sentence):
            planned(variants, *words)


def test_a_chain_leaves_finished_runs_as_they_are(variants, used, tmp_path):
    """Oracle: their files; a temperature and an epoch that were chosen for one of them stay too."""
    names = {"vgg-smoke": used.judge, "vgg-smoke-grey": used.control}
    names |= {f"{task}-smoke": run for task, run in used.colorizers.items()}
    for name, run in names.items():
        copy = RunFolder(shutil.copytree(run.path, tmp_path / "runs" / name))
        if not copy.has_state():  # a tuned run is finished without its state
            copy.write_tuned({})
    classification = RunFolder(tmp_path / "runs" / "classification-smoke")
    classification.write_config(override(classification.config, ["temperature=0.3"]))
    own = RunFolder(tmp_path / "runs" / "vgg-smoke")
    own.write_config(override(own.config, ["predict_by=last"]))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")}
    wanted = {
        role: {"smoke": override(RunFolder(tmp_path / "runs" / name).config, ["predict_by=best"])}
        for role, name in zip(
            options.ROLES,
            ("vgg-smoke", "vgg-smoke-grey", *(f"{t}-smoke" for t in used.colorizers)),
            strict=True,
        )
    }
    found = planned(wanted, "--variant", "smoke", "--runs", tmp_path / "runs")
    assert all(config is not None for config, _ in found.values())
    runs = chain.run(found)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")} == before
    assert {role: run.path for role, run in runs.roles().items()} == {
        role: path for role, (_, path) in found.items()
    }


def test_given_runs_that_do_not_belong_together_stop_a_chain_before_any_training(used, tmp_path):
    other = RunFolder(shutil.copytree(used.judge.path, tmp_path / "judge"))
    config = dataclasses.replace(other.config, split_seed=1)
    for name in ("splits.npz", "data.json"):
        (other.path / name).unlink()
    other.write_config(config)
    dataset = other.dataset()
    other.write_data(loading.run_data(config, dataset, loading.split(config, dataset)))
    given = {role: (None, run.path) for role, run in used.colorizers.items()}
    given |= {"judge": (None, other.path), "control": (JudgeConfig(), tmp_path / "control")}
    with pytest.raises(InputError, match="judge was trained on"):
        chain.run(given)
    assert not (tmp_path / "control").exists()


def test_added_columns_are_colorizers_with_names_of_their_own(variants, tmp_path, capsys):
    """Oracle: the rules, written here. A name of a role would replace the run of that role."""
    mine = configured(tmp_path / "mine", variants["regression"]["small"])
    found = planned(variants, "--add", f"from photographs={mine}")
    assert found["from photographs"] == (None, mine)
    assert set(found) == {*options.ROLES, "from photographs"}
    for wrong in ("judge", "annealed", "a/b", ""):
        with pytest.raises(SystemExit):
            planned(variants, "--add", f"{wrong}={mine}")
        assert repr(wrong) in capsys.readouterr().err or not wrong
    with pytest.raises(InputError, match="the same name"):
        planned(variants, "--add", f"a={mine}", "--add", f"a={mine}")
    judge = configured(tmp_path / "judge", variants["judge"]["small"])
    with pytest.raises(InputError, match="task 'judge'"):
        planned(variants, "--add", f"a={judge}")
