"""Patterns of groups of frames in memory: against those counted by hand, and their fits against fits of all cells."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

import hiermod as hm
from hiermod.data.pushdown import gather, patterns_in_memory
from hiermod.engine.layout.problem import read_problem
from hiermod.errors import AnswerError, HiermodError
from hiermod.interface import fit as fitting
from hiermod.marginal.patterns import find_patterns
from hiermod.marginal.quadrature import pattern_likelihood
from hiermod.marginal.target import Target
from tests.marginal.test_patterns_where_the_data_is import FORMULAS, by_hand, found_by, frame, relation, tables, wide

__all__ = ["frame", "wide"]  # fixtures

NAMES = {
    "whole numbers": lambda g: g * 3 - 5,
    "few bytes": lambda g: g.astype(np.int16),
    "far apart": lambda g: g * 10**13,
    "with gaps, as floats": lambda g: g.astype(float),
    "nullable": lambda g: pd.array(g, dtype="Int64"),
    "text": lambda g: [f"u{each}" for each in g],
    "objects": lambda g: np.array([f"u{each}" for each in g], dtype=object),
    "categories": lambda g: pd.Categorical(g, range(g.max() + 5, -1, -1)).rename_categories(lambda code: f"u{code}"),
}  # fmt: skip
FRAMES = {"pandas": lambda frame: frame, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}


@pytest.fixture
def many(monkeypatch):
    """Groups are many, and rows, however few there are."""
    monkeypatch.setattr(patterns_in_memory, "MANY_GROUPS", 2)
    monkeypatch.setattr(patterns_in_memory, "LEAST_SHARING", 2)
    monkeypatch.setattr(patterns_in_memory, "MOST_COUNTS", 100)
    monkeypatch.setattr(patterns_in_memory, "FEWEST", 0)


def by_cells(text, data, family=None):
    """The same model, without patterns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns_in_memory, "FEWEST", 10**9)
        return hm.model(text, data, family)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=tables())
def test_patterns_are_those_counted_by_hand(frame, many):
    expected, used = by_hand(frame, "s", "n", "x", "g"), frame.dropna()
    if used.loc[used["n"] > 0, "x"].nunique() < 2 or not 0 < used["s"].sum() < used["n"].sum():
        return
    model, whole = hm.model("s/n ~ x + (1 | g)", frame), by_cells("s/n ~ x + (1 | g)", frame)
    if not model._known.by_patterns:
        assert len(expected) < 2 or 2 * len(expected) > used.loc[used["n"] > 0, "g"].nunique()
        return
    assert found_by(model, "x") == expected
    pd.testing.assert_frame_equal(model.prior_summary(), whole.prior_summary())
    pd.testing.assert_frame_equal(model.cells, whole.cells)
    assert model._known.spec.cells.source == whole._known.spec.cells.source


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
@pytest.mark.parametrize(("text", "family"), FORMULAS)
def test_the_density_is_that_of_all_cells(make, text, family, wide, many):
    data = make(wide)
    model, whole = hm.model(text, data, family), by_cells(text, data, family)
    one, other = model._known.spec, whole._known.spec
    assert one.cells.by_patterns
    assert not other.cells.by_patterns
    assert [own.groups for own in one.cells.groupings.values()] == [own.size for own in other.cells.groupings.values()]
    assert one.cells.source == other.cells.source
    assert [notice for notice in model.notices if "patterns" not in notice] == [
        notice for notice in whole.notices if "cells" not in notice
    ]
    problems = [read_problem(own) for own in (one, other)]
    targets = [Target(own, pattern_likelihood(own, find_patterns(own))) for own in problems]
    points = 0.3 * np.random.default_rng(1).normal(size=(5, targets[0].dimension))
    values = [target.placed_at(points[0]).with_nodes(8).log_density(points) for target in targets]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("gaps", [False, True])
def test_groups_may_be_named_by_numbers_text_and_categories(name, gaps, wide, many):
    rng = np.random.default_rng(8)
    numbers = wide["g"].fillna(0).to_numpy(dtype=np.int64)
    frame = wide[["y", "x"]].assign(g=name(numbers)).iloc[rng.permutation(len(wide))].reset_index(drop=True)
    if gaps:
        frame["g"] = frame["g"].astype("Int64") if frame["g"].dtype.kind == "i" else frame["g"]
        frame.loc[::50, "g"] = None
    model, whole = hm.model("y ~ x + (1 | g)", frame), by_cells("y ~ x + (1 | g)", frame)
    assert model._known.by_patterns
    assert found_by(model, "x") == found_by(whole, "x")
    (own,), (all_of_them,) = (each._known.spec.cells.groupings.values() for each in (model, whole))
    assert set(own.labels()) <= set(all_of_them.labels())
    assert {type(label) for label in own.labels()} == {type(label) for label in all_of_them.labels()}
    assert [label for label in all_of_them.labels() if label in own.labels()] == own.labels()
    pd.testing.assert_frame_equal(model.cells, whole.cells)
    assert model._known.spec.cells.source == whole._known.spec.cells.source


@pytest.fixture(scope="module")
def fits(frame):
    """Fits by patterns, and by all cells, of frames in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns_in_memory, "FEWEST", 0)
        shared = hm.fit("y ~ x + (1 | g)", frame, seed=1, draws=200, progress=False)
    assert shared._known.by_patterns
    return shared, hm.fit("y ~ x + (1 | g)", frame, seed=1, draws=200, progress=False)


def test_answers_are_those_of_all_cells(fits):
    shared, whole = fits
    for name in whole.posterior:
        np.testing.assert_allclose(shared.posterior[name], whole.posterior[name], rtol=1e-12)
    for question in (
        lambda fit: fit.effect("x").table,
        lambda fit: fit.rates("x").table,
        lambda fit: fit.check().table,
    ):
        pd.testing.assert_frame_equal(question(shared), question(whole), rtol=1e-9)
    assert "_posterior" not in vars(shared)
    for question in (
        lambda fit: fit.ranef()["g"], lambda fit: fit.coef()["g"], lambda fit: fit.rates(by="g").table,
        lambda fit: fit.cells, lambda fit: fit.shrinkage(), lambda fit: fit.loo().pointwise,
        lambda fit: fit.rates("x", by="g", where={"g": ["u3", "u77"]}).table, lambda fit: fit.predict_cells().table,
    ):  # fmt: skip
        pd.testing.assert_frame_equal(question(shared), question(whole), rtol=1e-9)
    assert shared.provenance.fingerprint == whole.provenance.fingerprint
    assert shared.data is whole.data


@pytest.mark.parametrize("names", [["u3"], ["u999", "u3", "u0", "u17", "u1100"]])
@pytest.mark.parametrize("numbers", [False, True])
def test_groups_that_are_named_are_read_alone(frame, names, numbers, monkeypatch):
    monkeypatch.setattr(fitting, "LEAST_APART", 0)
    if numbers:
        frame, names = frame.assign(g=frame["g"].str[1:].astype(int)), [int(name[1:]) for name in names]
    whole = hm.fit("y ~ x + (1 | g)", frame, seed=1, draws=50, progress=False)
    monkeypatch.setattr(patterns_in_memory, "FEWEST", 0)
    shared = hm.fit("y ~ x + (1 | g)", frame, seed=1, draws=50, progress=False)
    for question in (
        lambda fit: fit.rates("x", by="g", where={"g": names}), lambda fit: fit.effect("x", where={"g": names[0]}),
        lambda fit: fit.predict(pd.DataFrame({"x": [0, 1] * len(names), "g": names * 2})),
    ):  # fmt: skip
        answer, expected = question(shared), question(whole)
        np.testing.assert_allclose(answer.draws, expected.draws, rtol=1e-9)
    assert "_posterior" not in vars(shared)
    with pytest.raises(AnswerError, match="5000"):
        shared.rates("x", where={"g": [names[0], 5000 if numbers else "u5000"]})


def test_what_becomes_of_the_frame_changes_nothing(frame, monkeypatch):
    monkeypatch.setattr(patterns_in_memory, "FEWEST", 0)
    expected = by_cells("y ~ x + (1 | g)", frame)
    mine = frame.copy()
    model = hm.model("y ~ x + (1 | g)", mine)
    assert model._known.by_patterns
    mine["y"] = 1 - mine["y"]
    mine.loc[:50, "x"] = 1
    del mine["g"]
    pd.testing.assert_frame_equal(model.cells, expected.cells)
    assert model._known.spec.cells.source == expected._known.spec.cells.source
    table = pl.from_pandas(frame)
    model = hm.model("y ~ x + (1 | g)", table)
    table[0, "y"] = 1 - table[0, "y"]
    pd.testing.assert_frame_equal(model.cells, expected.cells)


def test_a_stored_fit_knows_all_groups(fits, frame, tmp_path, monkeypatch, capsys):
    shared, whole = fits
    shared.save(tmp_path / "fit.nc")
    stored = hm.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(stored.ranef()["g"], whole.ranef()["g"], rtol=1e-9)
    pd.testing.assert_frame_equal(stored.cells, whole.cells)
    monkeypatch.setattr(patterns_in_memory, "FEWEST", 0)
    settings = {"seed": 1, "draws": 200, "progress": False, "file": tmp_path / "kept.nc"}
    for again in (False, True):
        found = hm.fit("y ~ x + (1 | g)", frame, **settings)
        assert ("reused the fit" in capsys.readouterr().err) is again
        assert found.data is frame
        pd.testing.assert_frame_equal(found.ranef()["g"], whole.ranef()["g"], rtol=1e-9)


def test_another_process_answers_about_groups(fits):
    shared, whole = (pickle.loads(pickle.dumps(fit)) for fit in fits)
    pd.testing.assert_frame_equal(shared.ranef()["g"], whole.ranef()["g"], rtol=1e-9)
    pd.testing.assert_frame_equal(shared.cells, whole.cells)


def test_priors_and_settings_that_change_are_those_of_all_groups(fits, monkeypatch):
    monkeypatch.setattr(patterns_in_memory, "FEWEST", 0)
    shared, whole = (
        fit.update(priors={"sd": "HalfNormal(0.2)"}, engine="compiled", draws=20, tune=20, chains=1, progress=False)
        for fit in fits
    )
    assert "HalfNormal(0.2)" in shared.prior_summary()["prior"].to_list()
    assert shared.posterior["1|g"].shape == whole.posterior["1|g"].shape
    pd.testing.assert_frame_equal(shared.prior_summary(), whole.prior_summary())


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("y", lambda frame: frame["y"] + 1), ("y", lambda frame: frame["y"].where(frame.index > 5)),
        ("x", lambda frame: frame["x"].where(frame.index > 5, np.inf)), ("x", lambda frame: 1),
        ("x", lambda frame: [[each] for each in frame["x"]]), ("g", lambda frame: 0.5 + frame.index % 2000),
        ("g", lambda frame: frame["g"].str.replace("u3", "NA")),
        ("g", lambda frame: frame["g"].where(frame.index > 5, " u3")),
        ("g", lambda frame: frame["g"].where(frame.index > 5, "1,000")),
        ("g", lambda frame: frame["g"].astype(object).where(frame.index > 5, 3)),
    ],
)  # fmt: skip
def test_what_is_told_and_refused_is_the_same(frame, column, change, many):
    changed = frame.assign(**{column: change})
    for na in ("drop", "error"):
        said = []
        for least in (0, 10**9):
            patterns_in_memory.FEWEST = least
            try:
                model = hm.model("y ~ x + (1 | g)", changed, na=na)
                said.append([notice for notice in model.notices if "cells" not in notice and "patterns" not in notice])
            except HiermodError as error:
                said.append([type(error).__name__, str(error)])
        assert said[0] == said[1]


def test_few_groups_many_patterns_and_other_families_are_read(frame, many, monkeypatch):
    monkeypatch.setattr(patterns_in_memory, "MANY_GROUPS", 1000)
    few = frame[frame["g"].isin([f"u{each}" for each in range(900)])]
    rng = np.random.default_rng(2)
    real = frame.assign(z=rng.normal(size=len(frame)), h=rng.integers(0, 30, len(frame)))
    for text, data, family in (
        ("y ~ x + (1 | g)", few, None), ("y ~ z + (1 | g)", real, None), ("y ~ factor(h) + (1 | g)", real, None),
        ("y ~ x + (1 | g) + (1 | h)", real, None), ("y ~ x + (1 | g)", frame, "bernoulli(probit)"),
        ("z ~ x + (1 | g)", real, None),
    ):  # fmt: skip
        assert not hm.model(text, data, family)._known.by_patterns
    assert not hm.model("y ~ x + (1 | g)", frame, compress=False)._known.by_patterns
    assert hm.model("y ~ x + (1 | g)", frame)._known.by_patterns


def test_an_engine_finds_the_same_patterns(frame, many, monkeypatch):
    monkeypatch.setattr(gather, "LARGE", 0)
    for data in (frame, frame.assign(g=frame["g"].str[1:].astype(int))):
        one, other = (hm.model("y ~ x + (1 | g)", own)._known.spec.cells for own in (data, relation(data)))
        assert one.by_patterns
        pd.testing.assert_frame_equal(one.table(), other.table(), check_dtype=False)
        assert one.groupings["g"].labels() == other.groupings["g"].labels()
        np.testing.assert_array_equal(one.groupings["g"].standing_for, other.groupings["g"].standing_for)
