"""Weights: all or nothing, on disk and in the model."""

import h5py
import keras
import numpy as np
import pytest

from colorization.core.errors import InputError
from colorization.runs import checkpoint_io


@pytest.fixture
def model():
    """A convolution and a batch normalization, whose moving averages count."""
    keras.utils.set_random_seed(0)
    start = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(3, 3, name="first")(start)
    return keras.Model(start, keras.layers.BatchNormalization(name="bn")(x))


def values_of(model):
    return {variable.path: np.array(variable.numpy()) for variable in model.variables}


def new_arrays(model):
    rng = np.random.default_rng(1)
    return {path: rng.normal(size=value.shape).astype("float32") for path, value in values_of(model).items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        np.testing.assert_array_equal(found[path], value)


def test_weights_come_back(tmp_path, model):
    """Oracle: the arrays saved, bit for bit, in a model whose own differ; groups and attributes apart."""
    path = tmp_path / "new" / "folder" / "weights.h5"
    arrays = new_arrays(model)
    checkpoint_io.save(path, {"model": arrays, "other": {"m": np.float32(2)}}, {"epoch": 3, "version": "1"})
    loaded, attributes = checkpoint_io.load(path, "model")
    assert attributes == {"epoch": 3, "version": "1"}
    assert_same(loaded, arrays)
    assert checkpoint_io.load(path, "other")[0] == {"m": 2}
    checkpoint_io.assign(model.variables, loaded, path)
    assert_same(values_of(model), arrays)


def test_variables_are_read_by_path(model):
    """Oracle: the variables' values."""
    assert_same(checkpoint_io.to_arrays(model.variables), values_of(model))


def without(name):
    return lambda arrays: {path: value for path, value in arrays.items() if path != name}


def with_value(name, value):
    return lambda arrays: {**arrays, name: np.asarray(value, "float32")}


MISFITS = {
    "missing": (without("first/kernel"), ["first/kernel is missing"]),
    "extra": (with_value("second/kernel", [1]), ["second/kernel does not belong to a layer"]),
    "renamed": (
        lambda arrays: {path.replace("first", "second"): value for path, value in arrays.items()},
        ["first/kernel is missing", "second/kernel does not belong to a layer"],
    ),
    "transposed": (
        with_value("first/kernel", np.zeros((3, 3, 3, 1))),
        [r"first/kernel has the shape \(3, 3, 3, 1\), but the layer needs \(3, 3, 1, 3\)"],
    ),
    "of one element": (
        with_value("bn/gamma", [1]),  # would broadcast
        [r"bn/gamma has the shape \(1,\), but the layer needs \(3,\)"],
    ),
    "a scalar": (with_value("bn/gamma", 1), [r"bn/gamma has the shape \(\), but the layer needs \(3,\)"]),
    "nan": (
        with_value("bn/moving_mean", [0, np.nan, 0]),
        ["bn/moving_mean contains values that are not finite"],
    ),
    "infinite": (with_value("bn/gamma", [0, np.inf, 0]), ["bn/gamma contains values that are not finite"]),
    "nothing": (lambda arrays: {}, ["is missing", "and 2 more"]),
}


@pytest.mark.parametrize("case", MISFITS)
def test_misfits_are_named_and_change_nothing(model, case):
    """Oracle: the message names the layer (and both shapes); the model's values from before."""
    spoil, complaints = MISFITS[case]
    before = values_of(model)
    for complaint in complaints:
        with pytest.raises(InputError, match=complaint) as refusal:
            checkpoint_io.assign(model.variables, spoil(new_arrays(model)), "best.h5")
        assert "best.h5" in str(refusal.value)
    assert_same(values_of(model), before)


def test_variables_of_one_name_are_refused():
    twins = [keras.Variable([value], name="twin") for value in (1.0, 2.0)]
    with pytest.raises(ValueError, match="same path"):
        checkpoint_io.to_arrays(twins)
    with pytest.raises(ValueError, match="same path"):
        checkpoint_io.assign(twins, {"twin": np.zeros(1)}, "best.h5")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, model, share):
    path = tmp_path / "weights.h5"
    checkpoint_io.save(path, {"model": new_arrays(model)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"weights\.h5 is not a weights file, or is damaged"):
        checkpoint_io.load(path, "model")


def test_other_files_are_refused(tmp_path, model):
    """Oracle: one InputError each: text, a folder, no such group, nothing there."""
    (tmp_path / "text.h5").write_text("<!DOCTYPE html>" * 100)
    checkpoint_io.save(tmp_path / "weights.h5", {"model": new_arrays(model)})
    for name, group in (("text.h5", "model"), ("", "model"), ("weights.h5", "optimizer")):
        with pytest.raises(InputError, match=r"is not a (complete )?weights file"):
            checkpoint_io.load(tmp_path / name, group)
    with pytest.raises(InputError, match=r"absent\.h5 is not found"):
        checkpoint_io.load(tmp_path / "absent.h5", "model")


class Broken:
    """Becomes an array never: as if the user had pressed Ctrl-C in the middle."""

    nbytes = 4

    def __array__(self, *args, **kwargs):
        raise KeyboardInterrupt


def test_an_interrupted_save_leaves_the_old_file(tmp_path, model):
    """Oracle: the old file's bytes, and no other file beside it."""
    path = tmp_path / "weights.h5"
    checkpoint_io.save(path, {"model": new_arrays(model)})
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        checkpoint_io.save(path, {"model": {**values_of(model), "last": Broken()}})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_holds_numbers_and_names_only(tmp_path, model):
    """Oracle: h5py's own walk: every data set is of floats, nothing is an object that would be unpickled."""
    checkpoint_io.save(tmp_path / "weights.h5", {"model": new_arrays(model)})
    with h5py.File(tmp_path / "weights.h5") as file:
        kinds = set()
        file.visititems(lambda _, item: kinds.add(getattr(item, "dtype", np.dtype("float32"))) and None)
    assert kinds == {np.dtype("float32")}


def test_float16_comes_back_widened(model):
    """Oracle: NumPy's own cast."""
    arrays = {path: array.astype("float16") for path, array in new_arrays(model).items()}
    checkpoint_io.assign(model.variables, arrays, "best.h5")
    assert_same(values_of(model), {path: array.astype("float32") for path, array in arrays.items()})


def test_initial_weights_of_another_task_leave_the_output_layer():
    """Oracle: the other run's arrays in all layers but the last one with weights, which keeps its own."""
    keras.utils.set_random_seed(1)
    functional = []
    for outputs in (2, 5):
        start = keras.Input((4, 4, 1))
        x = keras.layers.Conv2D(3, 3, name="first")(start)
        functional.append(keras.Model(start, keras.layers.Dense(outputs, name="out")(x)))
    theirs, ours = functional
    arrays, before = checkpoint_io.to_arrays(theirs.weights), values_of(ours)
    checkpoint_io.initialize(ours, arrays, "theirs", partly=True)
    expected = {name: before[name] if name.startswith("out/") else arrays[name] for name in before}
    assert_same(values_of(ours), expected)
    with pytest.raises(InputError, match=r"in theirs do not fit the model: out/bias has the shape \(2,\)"):
        checkpoint_io.initialize(ours, arrays, "theirs")
    assert_same(values_of(ours), expected)
    checkpoint_io.initialize(theirs, checkpoint_io.to_arrays(theirs.weights), "itself")


@pytest.mark.parametrize("old", ["block9_conv", "block9_dense"])
def test_the_dense_layer_of_block_9_becomes_a_convolution(tmp_path, old):
    """Oracle: names, shapes and values, by hand."""
    path = tmp_path / "weights.h5"
    checkpoint_io.save(
        path,
        {
            "model": {f"{old}/kernel": np.ones((3, 2)), f"{old}/bias": np.ones(2)},
            "optimizer": {f"adam/{old}_kernel_momentum": np.ones((3, 2)), "adam/x_momentum": np.ones((3, 2))},
        },
    )
    groups, _ = checkpoint_io.load_groups(path)
    shapes = {group: {name: array.shape for name, array in groups[group].items()} for group in groups}
    assert shapes["model"] == {"block9_conv/kernel": (1, 1, 3, 2), "block9_conv/bias": (2,)}
    assert shapes["optimizer"] == {
        "adam/block9_conv_kernel_momentum": (1, 1, 3, 2),
        "adam/x_momentum": (3, 2),
    }
