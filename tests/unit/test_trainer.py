"""The training itself: initial weights, optimizer, other settings, bad endings. Resuming exactly: test_resume."""

import dataclasses
import struct

import cv2
import h5py
import keras
import numpy as np
import pytest

from colorization.core.config import RegressionConfig, override
from colorization.core.errors import InputError
from colorization.models import tasks
from colorization.runs import RunFolder, resolve, session
from colorization.training import train, trainer

TINY = RegressionConfig(
    data="synthetic", train_size=24, dev_size=8, test_size=8, image_size=16, width=0.03, batch_size=8, epochs=2,
    precision="float32",
)  # fmt: skip


def built(config, run_dir):
    """(RunFolder, Network) of a config; nothing is trained or written."""
    run = session.open_run(config, run_dir)
    return run, trainer.build(tasks.of(run.config), run.data(), run)


def by_path(variables):
    return {variable.path: variable.numpy() for variable in variables}


def assert_equal_arrays(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_the_initial_weights_are_the_seeds(tmp_path):
    """Oracle: equality, and another seed; the layers' precision is the config's, and not that of others."""
    one, same, other = (
        by_path(built(dataclasses.replace(TINY, seed=seed), tmp_path / "run")[1].model.weights)
        for seed in (0, 0, 1)
    )
    assert_equal_arrays(one, same)
    assert (one["block3_conv1/kernel"] != other["block3_conv1/kernel"]).any()
    mixed = built(dataclasses.replace(TINY, precision="mixed_bfloat16"), tmp_path / "run")[1].model
    assert mixed.get_layer("block3_conv1").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    assert not (tmp_path / "run").exists()


def test_a_run_is_initialized_from_another(old_runs, tmp_path):
    """Oracle: the other run's weights; of one of another task in all layers but the output."""
    source = RunFolder(old_runs["classification"])
    config = dataclasses.replace(source.config, init_from=str(source.path), epochs=1, seed=3)
    assert_equal_arrays(by_path(built(config, tmp_path / "same")[1].model.weights), source.weights())
    regression = dataclasses.replace(TINY, width=0.03, init_from=str(source.path))
    found = by_path(built(regression, tmp_path / "other")[1].model.weights)
    own = by_path(built(dataclasses.replace(TINY, width=0.03), tmp_path / "none")[1].model.weights)
    output = {name for name in found if name.startswith("block9_conv/")}
    assert len(output) == 2
    expected = {name: (own if name in output else source.weights())[name] for name in found}
    assert_equal_arrays(found, expected)
    with pytest.raises(InputError, match=r"The weights in .* do not fit the model: .*and .* more"):
        built(dataclasses.replace(regression, width=0.1), tmp_path / "wider")


def test_a_run_is_initialized_from_a_preset(tmp_path):
    """Oracle: the preset's own weights, kept in float16."""
    preset = RunFolder(resolve.preset_folder("photos"))
    config = dataclasses.replace(
        preset.config,
        data="synthetic",
        train_size=8,
        dev_size=4,
        test_size=4,
        crop_from=0,
        init_from="photos",
    )
    found = by_path(built(config, tmp_path / "run")[1].model.weights)
    assert_equal_arrays(found, {name: array.astype("float32") for name, array in preset.weights().items()})


def test_another_runs_frozen_blocks_need_no_pretrained_weights(old_runs, tmp_path):
    """Oracle: the blocks of the run that it is initialized from, though the weights that those came from are gone."""
    source = RunFolder(old_runs["transfer"])
    config = override(source.config, [f"init_from={source.path}", "vgg_weights=nowhere.h5"])
    dataclasses.replace(config, vgg_weights="none").refuse_frozen_noise()
    network = built(config, tmp_path / "run")[1]
    found = by_path(network.model.weights)
    frozen = [name for name in found if name.startswith("block1_")]
    assert frozen
    assert_equal_arrays(
        {name: found[name] for name in frozen}, {name: source.weights()[name] for name in frozen}
    )
    assert network.encoder is not None
    with pytest.raises(InputError, match=r"nowhere\.h5 is not found\. Name a weights file"):
        built(override(config, ["init_from=none"]), tmp_path / "none")


def test_weight_decay_is_that_of_the_kernels(tmp_path):
    """Oracle: AdamW's closed form for gradients of zero: w (1 - rate * decay), of kernels alone."""
    settings = {"weight_decay": 0.1, "learning_rate": 0.5}
    network = built(dataclasses.replace(TINY, **settings), tmp_path / "run")[1]
    variables = network.trained.trainable_variables
    for variable in variables:
        variable.assign(np.full(variable.shape, 2.0))
    network.trained.optimizer.apply([np.zeros(v.shape, "float32") for v in variables], variables)
    kinds = set()
    for name, value in by_path(variables).items():
        kinds.add(name.rpartition("/")[2])
        expected = 2 * (1 - 0.5 * 0.1) if name.endswith("kernel") else 2
        np.testing.assert_allclose(value, np.full(value.shape, expected), rtol=1e-6, err_msg=name)
    assert kinds == {"kernel", "bias", "gamma", "beta"}
    plain = built(TINY, tmp_path / "plain")[1].trained.optimizer
    assert (plain.weight_decay, plain.name) == (None, "adam")


def test_the_optimizer_is_adam_with_the_schedule(tmp_path):
    """Oracle: the cosine's closed form over all steps of the run."""
    config = dataclasses.replace(TINY, schedule="cosine", learning_rate=0.01, epochs=4)
    optimizer = built(config, tmp_path / "run")[1].trained.optimizer
    assert isinstance(optimizer, keras.optimizers.Adam)
    for step, share in ((0, 1), (6, 0.5), (12, 0)):  # of 4 epochs of 3 steps
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(0.01 * share, abs=1e-8)


def events(folder):
    """{tag: {step: value}} of TensorBoard's scalars in a folder, read without TensorBoard: records of protobuf."""
    from tensorflow.core.util import event_pb2
    from tensorflow.python.framework import tensor_util

    found = {}
    for path in folder.rglob("events.out.tfevents.*"):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = event_pb2.Event.FromString(data[12 : 12 + length])
            for value in event.summary.value:
                if value.HasField("tensor") and value.tensor.dtype == 1:
                    found.setdefault(value.tag, {})[event.step] = float(tensor_util.MakeNdarray(value.tensor))
            data = data[12 + length + 4 :]
    return found


def test_a_training_writes_its_logs_and_sample_pictures(tmp_path):
    """Oracle: the history, for what TensorBoard shows; the truth's own row in the sample picture."""
    config = override(TINY, ["tensorboard=true", "samples_every=1"])
    run = train(config, tmp_path / "run")
    history, logged = run.history(), events(run.logs_path / "train")
    for tag, name in (("epoch_loss", "loss"), ("epoch_learning_rate", "learning_rate")):
        assert logged[tag] == pytest.approx({i: row[name] for i, row in enumerate(history)}, rel=1e-5)
    truth = run.images("dev")[0].images[:8]
    for epoch in (1, 2):
        drawn = cv2.imread(str(run.sample_path(epoch)))[..., ::-1]
        colors = {tuple(color) for color in drawn.reshape(-1, 3).tolist()}
        shown = [tuple(color) in colors for color in truth.reshape(-1, 3).tolist()]
        assert np.mean(shown) > 0.2  # as far as the picture's own scale leaves them
    assert not run.sample_path(3).exists()


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_weights(old_run):
    """Oracle: the state, array by array, of a run whose learning rate is absurd in its third epoch."""
    run_dir = old_run("classification")
    RunFolder(run_dir).write_config(override(RunFolder(run_dir).config, ["epochs=3"]))
    with h5py.File(run_dir / "last.weights.h5", "r+") as file:
        file["optimizer/adam/learning_rate"][...] = 1e30
    groups, history = RunFolder(run_dir).read_state()
    sentence = r"NaN in epoch 3\. .* keeps the weights of epoch 2\. Try a lower learning_rate"
    with pytest.raises(InputError, match=sentence):
        train(None, run_dir, resume=True)
    kept, kept_history = RunFolder(run_dir).read_state()
    assert kept_history == history
    for name in groups:
        assert_equal_arrays(kept[name], groups[name])


def test_a_run_is_resumed_and_lengthened_in_the_same_process(old_runs, tmp_path):
    """What Keras counts up in a process must not enter the files; a constant rate may go on for longer, and
    so does the scale of float16's loss, of which float32 knows nothing. Oracle: a run never stopped."""
    changes = ["precision=mixed_float16", "epochs=1", f"vgg_weights={old_runs['vgg']}"]
    config = override(RunFolder(old_runs["transfer"]).config, changes)  # whose head alone is trained: sooner
    run = train(config, tmp_path / "run")
    run.write_metrics({"test": {"of": "these weights"}})
    longer = override(config, ["epochs=2"])
    run = train(longer, tmp_path / "run", resume=True)
    assert not run.metrics()  # those were of other weights
    assert run.finished_epochs() == len(run.history()) == run.config.epochs == 2
    resumed, whole = run.read_state()[0], train(longer, tmp_path / "straight").read_state()[0]
    assert resumed.keys() == whole.keys() == {"model", "optimizer"} | ({"random"} & resumed.keys())
    for name in whole:
        assert_equal_arrays(resumed[name], whole[name])
