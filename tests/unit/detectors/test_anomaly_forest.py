"""Our traversal gives scikit-learn's scores; models travel as bytes without pickle."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length
from sklearn.metrics import average_precision_score, roc_curve

from detectors.adapters.forest_trainer import SklearnForests, _tree
from detectors.core.anomaly import codec as codec_module
from detectors.core.anomaly import forest as forest_module
from detectors.core.anomaly.codec import pack, pack_login, unpack, unpack_login
from detectors.core.anomaly.counts import Counts
from detectors.core.anomaly.drift import drift_of, edges_of, shares, stability_index
from detectors.core.anomaly.forest import (
    Forest,
    assemble_forest,
    average_path,
    forest_of_arrays,
)
from detectors.core.anomaly.login_model import LoginModel, Scorer
from detectors.core.anomaly.metrics import average_precision, caught_at
from detectors.core.anomaly.ranks import Ranks, ranks_of
from detectors.errors import ModelRejected
from detectors.models.forests import GrownForest


def rows_of(seed: int, count: int, columns: int, levels: int) -> Any:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(count, columns))
    return np.round(rows * levels) / levels if levels else rows


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(2, 400),
    columns=st.integers(1, 9),
    levels=st.sampled_from([0, 1, 3]),
    trees=st.integers(1, 12),
)
def test_the_score_is_that_of_scikit_learn_to_the_last_bit(
    seed: int, count: int, columns: int, levels: int, trees: int
) -> None:
    rows = rows_of(seed, count, columns, levels)
    theirs = IsolationForest(n_estimators=trees, random_state=seed).fit(rows)
    grown = GrownForest(
        tuple(_tree(each.tree_) for each in theirs.estimators_), columns, int(theirs.max_samples_)
    )
    others = np.concatenate((rows, rows_of(seed + 1, 50, columns, levels) * 3))
    expected = (-theirs.score_samples(others)).tolist()
    assert assemble_forest(grown).score(others).tolist() == expected


def test_the_trained_forest_comes_through_the_port() -> None:
    rows = rows_of(1, 300, 4, 0)
    forest = assemble_forest(SklearnForests().grow(rows, 7))
    theirs = IsolationForest(n_estimators=300, random_state=7).fit(rows)
    assert forest.score(rows).tolist() == (-theirs.score_samples(rows)).tolist()
    assert forest.score(rows[:0]).tolist() == []


def test_path_lengths_are_those_of_the_library() -> None:
    samples = np.array([1.0, 2.0, 3.0, 17.0, 256.0])
    expected = _average_path_length(samples.astype(int)).tolist()
    assert average_path(samples).tolist() == expected


@functools.cache
def small_forest() -> Forest:
    return assemble_forest(SklearnForests(trees=20).grow(rows_of(3, 64, 3, 0), 1))


def test_arrays_bring_the_forest_back() -> None:
    forest = small_forest()
    again = forest_of_arrays(forest.arrays())
    rows = rows_of(5, 30, 3, 0)
    assert again.score(rows).tolist() == forest.score(rows).tolist()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda a: a.pop("left"), "incomplete"),
        (lambda a: a.update(normal=np.array([])), "incomplete"),
        (lambda a: a.update(right=a["right"][:-1]), "fit together"),
        (lambda a: a.update(roots=a["roots"][:0]), "fit together"),
        (lambda a: a.update(shape=np.array([3, 10_000])), "fit together"),
        (lambda a: a.update(normal=np.array([0.0])), "fit together"),
        (lambda a: a.update(left=a["left"] + len(a["left"])), "outside"),
        (lambda a: a.update(roots=a["roots"] - 10), "outside"),
        (lambda a: a.update(feature=a["feature"] + 3), "outside"),
        (lambda a: a.update(feature=a["feature"] - 9), "outside"),
    ],
)
def test_a_forest_that_would_read_elsewhere_is_refused(
    change: Callable[[dict[str, Any]], object], why: str
) -> None:
    arrays = dict(small_forest().arrays())
    change(arrays)
    with pytest.raises(ModelRejected, match=why):
        forest_of_arrays(arrays)


def model() -> LoginModel:
    points = Ranks(np.linspace(0, 1, 11))
    counts = Counts(np.array([1, 5], np.uint64), np.array([2.0, 3.0]))
    return LoginModel(counts, Scorer(small_forest(), points, points, points))


REFERENCE = {"hour": np.array([-1.0, -2.0])}


def test_a_model_survives_its_bytes_and_the_bytes_are_the_same_each_time() -> None:
    content = pack_login(model(), REFERENCE)
    assert pack_login(model(), REFERENCE) == content
    again, reference = unpack_login(content)
    assert again.counts.of([5, 6]) == [3.0, 0.0]
    assert reference["hour"].tolist() == [-1.0, -2.0]
    assert pack_login(again, reference) == content


def repacked(**changes: Any) -> bytes:
    arrays = {**unpack(pack_login(model(), REFERENCE)), **changes}
    return pack({name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no zip", "can't be read"),
        (pack({"a": np.array([1])})[:-30], "can't be read"),
        (repacked(format=np.array([9])), "another format"),
        (repacked(format=None), "incomplete"),
        (repacked(scores=np.array([])), "fit together"),
        (repacked(values=np.array([1.0])), "fit together"),
        (repacked(keys=np.array(["x"])), "incomplete"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ModelRejected, match=why):
        unpack_login(content)


def test_a_pickle_inside_is_never_run() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        inner = io.BytesIO()
        np.save(inner, np.array([object()], dtype=object), allow_pickle=True)
        archive.writestr("format.npy", inner.getvalue())
    with pytest.raises(ModelRejected, match="can't be read"):
        unpack_login(stream.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "MAX_MODEL", 100)
    with pytest.raises(ModelRejected, match="too large"):
        unpack(pack({"zeros": np.zeros(1_000)}))


def test_a_forest_of_too_many_nodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forest_module, "MAX_NODES", 10)
    with pytest.raises(ModelRejected):
        forest_of_arrays(dict(small_forest().arrays()))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=80).filter(
        lambda rows: 0 < sum(bad for bad, _ in rows) < len(rows)
    )
)
def test_figures_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    bad = np.array([each for each, _ in rows])
    scores = np.array([float(each) for _, each in rows])
    assert average_precision(bad, scores) == pytest.approx(average_precision_score(bad, scores))
    false, true, _ = roc_curve(bad, scores, drop_intermediate=False)
    for rate in (0.0, 0.1, 0.5):
        assert caught_at(bad, scores, rate) == pytest.approx(true[false <= rate].max())


def test_all_false_alarms_allowed_catches_all_and_nothing_bad_is_none_caught() -> None:
    assert caught_at(np.array([True, False]), np.array([0.0, 1.0]), 1.0) == 1.0
    assert caught_at(np.array([False, False]), np.array([0.0, 1.0]), 0.1) == 0.0


@given(st.lists(st.floats(-50, 50), min_size=5, max_size=200), st.floats(-100, 200))
def test_ranks_never_fall_and_stay_between_none_and_one(scores: list[float], extra: float) -> None:
    ranks = ranks_of(np.array(scores))
    asked = np.sort(np.array([*scores, extra, 60.0, 90.0]))
    found = ranks.of(asked)
    assert (np.diff(found) >= -1e-12).all()  # interpolation rounds
    assert 0 <= found.min() <= found.max() < 1
    assert found[-1] > ranks.of(np.array([max(scores)]))[0] or max(scores) >= 90


def test_a_rank_is_the_share_of_earlier_scores_below() -> None:
    ranks = ranks_of(np.arange(1_001.0))
    assert ranks.of(np.array([500.0])).tolist() == pytest.approx([0.5])
    assert ranks.of(np.array([1_000.0])).tolist() == pytest.approx([0.999])


def test_drift_is_nothing_for_the_same_and_great_for_others() -> None:
    draw = np.random.default_rng(1)
    before, same, moved = draw.normal(size=3_000), draw.normal(size=3_000), draw.normal(2, 1, 3_000)
    found = drift_of({"a": before, "b": before}, {"a": same, "b": moved})
    assert found["a"] < 0.02
    assert found["b"] > 0.25


def test_the_index_worked_by_hand() -> None:
    before, now = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    expected = 0.1 * np.log(1.2) - 0.1 * np.log(0.8)
    assert stability_index(before, now) == pytest.approx(expected)
    assert edges_of(np.zeros(50)).tolist() == [0.0]
    assert shares(np.zeros(4), np.array([0.0])).tolist() == [1.0, 0.0001]


def test_a_scorer_with_other_forests_gives_other_ranks() -> None:
    base = model().scorer
    rows = rows_of(9, 5, 3, 0)
    higher = replace(base, means=Ranks(np.linspace(0, 0.1, 11)))
    assert (higher.ranks(np.zeros(5), rows)[0] >= base.ranks(np.zeros(5), rows)[0]).all()
