"""Splits: disjoint, seeded, stratified, and kept in a file."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cifar_files import names_of, object_array, sentence_of

from colorization.datasets import Dataset, Images, Splits, split


def labeled(train_labels, test_labels, classes: int) -> Dataset:
    def part(labels):
        return Images(np.zeros((len(labels), 1, 1, 3), np.uint8), np.asarray(labels, np.int64))

    return Dataset("labels", part(train_labels), part(test_labels), names_of(classes))


SIZES = st.integers(0, 60)
LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS, SIZES, SIZES, SIZES, st.integers(0, 5))
def test_splits(train_labels, test_labels, train, dev, test, seed):
    dataset = labeled(train_labels, test_labels, 3)
    chosen = split(dataset, train, dev, test, seed=seed)
    again = split(dataset, train, dev, test, seed=seed)
    full = split(dataset, 1000, 1000, 1000, seed=seed)
    half = len(test_labels) // 2
    assert len(chosen.train) == min(train, len(train_labels))
    assert len(chosen.dev) == min(dev, half)
    assert len(chosen.test) == min(test, len(test_labels) - half)
    assert (np.diff(chosen.train) > 0).all()
    np.testing.assert_array_equal(full.train, np.arange(len(train_labels)))
    assert sorted([*full.dev, *full.test]) == list(range(len(test_labels)))  # disjoint, and nothing lost
    for name in ("train", "dev", "test"):
        part = getattr(chosen, name)
        assert part.dtype == np.int64
        np.testing.assert_array_equal(part, getattr(again, name))
        if name != "train":  # a smaller split is the beginning of a larger one
            np.testing.assert_array_equal(part, getattr(full, name)[: len(part)])
    assert set(chosen.train) <= set(split(dataset, train + 5, 0, 0, seed=seed).train)


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS, st.integers(3, 60), st.integers(0, 5))
def test_stratified_splits_are_balanced_and_keep_to_the_pools(train_labels, test_labels, size, seed):
    dataset = labeled(train_labels, test_labels, 3)
    judge = split(dataset, size, size, size, seed=seed, stratified=True)
    pools = split(dataset, 1000, 1000, 1000, seed=seed)
    for name, labels in (
        ("train", dataset.train.labels),
        ("dev", dataset.test.labels),
        ("test", dataset.test.labels),
    ):
        pool, part = getattr(pools, name), getattr(judge, name)
        expected = np.minimum(np.bincount(labels[pool], minlength=3), size // 3)
        assert np.bincount(labels[part], minlength=3).tolist() == expected.tolist()
        for label in range(3):
            of_class = [row for row in part if labels[row] == label]
            assert set(of_class) <= set(pool)
            if name != "train":  # the first of the class, in the order of the pool
                assert of_class == [row for row in pool if labels[row] == label][: len(of_class)]


def test_splits_of_full_size_differ_by_seed():
    dataset = labeled(np.arange(50_000) % 10, np.arange(10_000) % 10, 10)
    one, two = split(dataset, 1000, seed=0), split(dataset, 1000, seed=1)
    assert [len(one.train), len(one.dev), len(one.test)] == [1000, 5000, 5000]
    assert (one.train != two.train).any()
    assert (one.dev != two.dev).any()
    judge = split(dataset, 10_000, 1_000, 1_000, stratified=True)
    assert np.bincount(judge.train % 10).tolist() == [1000] * 10
    assert np.bincount(judge.dev % 10).tolist() == [100] * 10
    assert set(judge.dev) <= set(one.dev)
    assert set(judge.test) <= set(one.test)
    # The same on every machine: these numbers may never change.
    assert one.train[:3].tolist() == [66, 72, 157]
    assert one.dev[:3].tolist() == [1639, 1056, 6156]


def test_splits_file(tmp_path):
    path = tmp_path / "splits.npz"
    splits = split(labeled([0, 1] * 9, [0, 1] * 8, 2), 5, 3, 2)
    splits.save(path)
    splits.save(path)
    back = Splits.load(path)
    for name in ("train", "dev", "test"):
        np.testing.assert_array_equal(getattr(back, name), getattr(splits, name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["splits.npz"]
    good = path.read_bytes()
    for bad in (good[: len(good) // 2], b"", b"text", good.replace(b"dev.npy", b"d3v.npy")):
        path.write_bytes(bad)
        assert "splits.npz" in sentence_of(Splits.load, path)
    np.savez(path, train=np.zeros(2), dev=np.zeros(2), test=np.zeros(2))
    assert "int64" in sentence_of(Splits.load, path)
    np.savez(path, train=object_array("x"), dev=np.zeros(2), test=np.zeros(2))
    for bad in (path, tmp_path / "nowhere.npz"):  # nothing is unpickled
        assert f"{bad.name} cannot be read as splits" in sentence_of(Splits.load, bad)


def test_split_sizes_that_make_no_sense():
    dataset = labeled([0, 1, 2], [0, 1, 2], 3)
    assert "dev split must be at least 0" in sentence_of(split, dataset, 1, -1, 1)
    assert "at least 3, one for each class" in sentence_of(split, dataset, 3, 3, 2, stratified=True)
