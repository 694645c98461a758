"""colorization.config: what --set and JSON files take, and how they are refused."""

import dataclasses
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from colorization.core import config as core_config
from colorization.core.config import (
    CONFIGS,
    ClassificationConfig,
    RegressionConfig,
    TransferConfig,
    describe,
    from_dict,
    override,
    to_json,
)
from colorization.core.errors import InputError

# The first examples may be slow on a busy machine: that is no failure.
PATIENT = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
CLASSES = [RegressionConfig, ClassificationConfig, TransferConfig]
FIELDS = {field.name: field for field in dataclasses.fields(ClassificationConfig)}


def allowed(field):
    """All values of a field."""
    low, high, choices, multiple = (field.metadata[key] for key in ("low", "high", "choices", "multiple"))
    if choices:
        return st.sampled_from(choices)
    if multiple:
        return st.integers(low // multiple, high // multiple).map(lambda value: value * multiple)
    return {
        bool: st.booleans(),
        int: st.integers(low, high),
        float: st.floats(low, high, allow_nan=False, allow_infinity=False),
        str: st.text().map(str.strip),
    }[field.type]


@st.composite
def assignments(draw, config_class=ClassificationConfig):
    """{field: value} of some fields."""
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=6))
    drawn = {name: draw(allowed(fields[name])) for name in chosen}
    if 0 < drawn.get("crop_from", 0) < drawn.get("image_size", 32):  # refused, see below
        del drawn["crop_from"]
    if drawn.get("shift", 0) >= (drawn.get("crop_from") or drawn.get("image_size", 32)):
        del drawn["shift"]
    return drawn


@PATIENT
@given(assignments(), st.sampled_from([str, lambda value: json.dumps(value).strip('"')]), st.booleans())
def test_assignments_are_read_back(values, spell, spaced):
    """Oracle: dataclasses.replace; values are spelled as Python or as JSON does."""
    equals = " = " if spaced else "="
    spelled = [
        f"{name}{equals}{value if isinstance(value, str) else spell(value)}" for name, value in values.items()
    ]
    assert override(ClassificationConfig(), spelled) == replace(ClassificationConfig(), **values)


@pytest.mark.parametrize("text", ["1", "1.0", "1e0", "10e-1"])
def test_a_number_may_be_spelled_in_many_ways(text):
    """Oracle: 1.0, a float also where it is written without a point."""
    value = override(RegressionConfig(), [f"learning_rate={text}"]).learning_rate
    assert value == 1.0
    assert type(value) is float


def test_later_assignments_win_and_the_config_itself_stays():
    config = RegressionConfig()
    assert override(config, ["seed=1", "seed=2", "data=a=b"]) == replace(config, seed=2, data="a=b")
    assert config == RegressionConfig()


@pytest.mark.parametrize("config_class", CLASSES)
@PATIENT
@given(name=st.text().filter(lambda name: "=" not in name))
def test_an_unknown_field_lists_the_fields(config_class, name):
    """Oracle: the dataclass's own fields."""
    names = [field.name for field in dataclasses.fields(config_class)]
    assume(name.strip() not in names)
    with pytest.raises(InputError) as refusal:
        override(config_class(), [f"{name}=1"])
    assert str(refusal.value).endswith(f"The fields are: {', '.join(names)}.")


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("seed", "key=value"),
        ("", "key=value"),
        ("Seed=1", "Unknown field 'Seed'"),
        ("epochs=0", "epochs must be at least 1"),
        ("epochs=-3", "epochs must be at least 1"),
        ("image_size=8", "image_size must be at least 16"),
        ("image_size=36", "image_size must be a multiple of 8"),
        ("epochs=1.0", "epochs must be a whole number"),
        ("epochs=1e3", "epochs must be a whole number"),
        ("epochs=true", "epochs must be a whole number"),
        ("epochs=", "epochs must be a whole number"),
        ("epochs=many", "epochs must be a whole number"),
        ("epochs=null", "epochs must be a whole number"),
        ("epochs=[1]", "epochs must be a whole number"),
        ("flip=1", "flip must be true or false"),
        ("flip=0", "flip must be true or false"),
        ("flip=yes", "flip must be true or false"),
        ("l2=true", "l2 must be a number"),
        ("l2=nan", "l2 must be a number"),
        ("l2=NaN", "l2 must be a number"),
        ("l2=inf", "l2 must be a number"),
        ("l2=-Infinity", "l2 must be a number"),
        ("l2=1e999", "l2 must be a number"),
        ("l2=0.1.2", "l2 must be a number"),
        ("l2=-1e-9", "l2 must be at least 0"),
        ("width=0", "width must be at least 0.01"),
        ("width=4.01", "width must be at most 4"),
        ("neighbors=33", "neighbors must be at most 32"),
        ("neighbors=0", "neighbors must be at least 1"),
        ("sigma=0", "sigma must be at least"),
        ("rebalance_mix=1.5", "rebalance_mix must be at most 1"),
        ("schedule=Cosine", "schedule must be one of constant, cosine"),
        ("precision=float16", "precision must be one of auto, float32, mixed_bfloat16, mixed_float16"),
        ("jit=true", "jit must be one of auto, on, off"),
        ("dropout=1", "dropout must be at most 0.9"),
        ("weight_decay=-0.1", "weight_decay must be at least 0"),
        ("stratified=1", "stratified must be true or false"),
        ("shift=65", "shift must be at most 64"),
        ("shift=32", "shift=32 must be smaller than the side of the images"),
        ("crop_from=16", "crop_from=16 is smaller than image_size=32"),
    ],
)
def test_mistakes_are_refused_in_one_line(assignment, complaint):
    with pytest.raises(InputError, match=complaint) as refusal:
        override(ClassificationConfig(), [assignment])
    assert "\n" not in str(refusal.value)


def test_a_transfer_has_no_working_size():
    with pytest.raises(InputError, match="working_size must be at most 0"):
        override(TransferConfig(), ["working_size=64"])


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": True},
        {"epochs": 1.0},
        {"epochs": "1"},
        {"flip": 1},
        {"flip": "true"},
        {"l2": float("nan")},
        {"l2": float("inf")},
        {"l2": None},
        {"data": 3},
        {"schedule": "linear"},
        {"width": 5.0},
    ],
)
def test_construction_and_json_are_as_strict(values):
    """Oracle: what --set refuses, in Python and from a file, whose name is then said."""
    with pytest.raises(InputError, match=next(iter(values))):
        ClassificationConfig(**values)
    with pytest.raises(InputError, match=f"^run/config.json: {next(iter(values))} "):
        from_dict(ClassificationConfig, values, "run/config.json")


@pytest.mark.parametrize("config_class", CLASSES)
@PATIENT
@given(data=st.data())
def test_json_gives_the_config_back(config_class, data):
    """Oracle: equality; the JSON is strict (no NaN) and names its task."""
    config = config_class(**data.draw(assignments(config_class)))
    values = json.loads(to_json(config), parse_constant=pytest.fail)
    assert values["task"] == config_class.task
    assert from_dict(config_class, values, "config.json") == config


def test_a_file_may_lack_fields_but_not_have_more():
    """Oracle: the defaults; the refusal names the file and every unknown field."""
    assert from_dict(RegressionConfig, {"seed": 3}, "config.json") == RegressionConfig(seed=3)
    with pytest.raises(InputError, match=r"config\.json has unknown fields: neighbors, zoom\."):
        from_dict(RegressionConfig, {"zoom": 1, "seed": 3, "neighbors": 5}, "config.json")


@pytest.mark.parametrize("config_class", CLASSES)
def test_the_description_can_be_typed_in(config_class):
    """Oracle: each line's key=value, given to override, changes nothing."""
    lines = describe(config_class()).splitlines()
    assert len(lines) == len(dataclasses.fields(config_class))
    pairs = [line.split()[0].replace('"', "") for line in lines]
    assert override(config_class(), pairs) == config_class()
    assert "  seed=3  " in describe(config_class(seed=3))


def test_configs_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RegressionConfig().seed = 1


def test_defaults_are_the_reports():
    """Oracle: the report's section 5.1, and the paper's soft encoding and rebalancing."""
    config = ClassificationConfig()
    assert (config.learning_rate, config.batch_size, config.dev_batch_size, config.epochs) == (
        1e-4,
        128,
        64,
        100,
    )
    assert (config.train_size, config.dev_size, config.test_size, config.image_size) == (
        50_000,
        5_000,
        5_000,
        32,
    )
    assert (config.neighbors, config.sigma, config.rebalance_mix, config.rebalance_sigma) == (
        5,
        5.0,
        0.5,
        5.0,
    )


@pytest.mark.parametrize("config_class", CLASSES)
def test_a_config_registers_itself_and_is_read_by_its_task(config_class, tmp_path):
    """Oracle: equality."""
    assert CONFIGS[config_class.task] is config_class
    path = tmp_path / "config.json"
    path.write_text(to_json(config_class(seed=7)))
    assert core_config.read(path) == config_class(seed=7)


def test_old_names_of_fields_and_tasks(tmp_path, capsys):
    """Oracle: today's names, by hand; on the command line a message says the new one."""
    assert override(RegressionConfig(), ["start=there"]) == RegressionConfig(init_from="there")
    assert capsys.readouterr().err == "start is deprecated: use init_from.\n"
    assert override(RegressionConfig(), ["init_from=there"]).init_from == "there"
    assert capsys.readouterr().err == ""
    path = tmp_path / "config.json"
    path.write_text('{"task": "regression", "start": "there"}')
    assert core_config.read(path) == RegressionConfig(init_from="there")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '{"task": "gan"}',
            "config.json has the task 'gan', which is not one of .*regression, classification, transfer",
        ),
        ('{"task": ["x"]}', r"config.json has the task \['x'\]"),
        ("[]", "config.json has the task None"),
        ("[" * 100_000, "config.json cannot be read as JSON"),
        ('{"task": "regression", "epochs": "many"}', "config.json: epochs must be a whole number"),
    ],
)
def test_files_that_are_no_config(text, sentence, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        core_config.read(path)
    with pytest.raises(InputError, match=r"nowhere is not a run folder: it has no config\.json"):
        core_config.read(tmp_path / "nowhere" / "config.json")


def test_what_changes_an_image_from_epoch_to_epoch():
    """Oracle: the three settings that do."""
    assert not ClassificationConfig().augmented
    for change in ({"flip": True}, {"crop_from": 40}, {"shift": 2}):
        assert ClassificationConfig(**change).augmented


def test_frozen_layers_need_weights():
    """Oracle: the rule: from pretrained weights or another run, or not frozen."""
    for good in ({}, {"frozen_blocks": 0, "vgg_weights": "none"}, {"vgg_weights": "none", "init_from": "x"}):
        TransferConfig(**good).refuse_frozen_noise()
    RegressionConfig().refuse_frozen_noise()
    with pytest.raises(InputError, match="Frozen blocks need pretrained weights"):
        TransferConfig(vgg_weights="none").refuse_frozen_noise()
