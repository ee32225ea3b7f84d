"""Patterns of groups that the data's own engine finds, held against those that are counted by hand."""

from collections import Counter
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit

import hiermod as hm
from hiermod.data.pushdown import gather, patterns
from hiermod.engine.layout.problem import read_problem
from hiermod.errors import AnswerError, DataError
from hiermod.interface import fit as fitting
from hiermod.marginal.patterns import find_patterns
from hiermod.marginal.quadrature import pattern_likelihood
from hiermod.marginal.target import Target
from tests.data.test_engine import KINDS

GROUPS = 1200


def relation(frame):
    return duckdb.connect().from_arrow(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(autouse=True)
def _large(monkeypatch):
    """Every lazy frame counts as large here."""
    monkeypatch.setattr(gather, "LARGE", 0)


def by_hand(frame, total, size, design, group):
    """How many groups have each content: trials at each row of the design, and successes in all."""
    complete = frame.dropna()
    complete = complete[complete[size] > 0]
    found = Counter()
    for _, own in complete.groupby(group):
        trials = own.groupby(design)[size].sum()
        found[(*zip(trials.index, trials.tolist(), strict=True), int(own[total].sum()))] += 1
    return found


def found_by(model, design):
    """The same of a model whose groups stand for others."""
    spec = model._known.spec
    own = find_patterns(read_problem(spec))
    levels = spec.cells.frame[design].to_numpy(dtype=float)
    mean = np.average(levels, weights=spec.cells.response.weight)
    ends = [*own.starts[1:], len(own.size)]
    found = Counter()
    for place, (start, end) in enumerate(zip(own.starts, ends, strict=True)):
        x = np.round(own.design[start:end, 1] + mean, 9)
        content = sorted(zip(x.tolist(), own.size[start:end].tolist(), strict=True))
        found[(*content, round(own.totals[place, 0]))] = int(own.counts[place])
    return found


@st.composite
def tables(draw):
    seed, texts = draw(st.integers(0, 10_000)), draw(st.booleans())
    groups, most, gaps = draw(st.integers(20, 90)), draw(st.integers(1, 3)), draw(st.integers(0, 6))
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rng.integers(1, most + 1, groups))
    size = len(g)
    frame = pd.DataFrame({"x": rng.choice([0.1, 0.3], size), "n": rng.integers(0, 2, size)})
    frame["s"] = rng.binomial(frame["n"], 0.4).astype(float)
    frame["g"] = [f"u{each}" for each in g] if texts else g
    for name in ("x", "s"):
        frame.loc[rng.integers(0, size, gaps), name] = np.nan
    if texts:
        frame.loc[rng.integers(0, size, gaps), "g"] = None
    return frame


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=tables())
def test_patterns_are_those_counted_by_hand(frame, monkeypatch):
    monkeypatch.setattr(patterns, "MANY_GROUPS", 2)
    expected = by_hand(frame, "s", "n", "x", "g")
    used = frame.dropna()
    if used.loc[used["n"] > 0, "x"].nunique() < 2 or not 0 < used["s"].sum() < used["n"].sum():
        return
    model, in_memory = (hm.model("s/n ~ x + (1 | g)", data) for data in (relation(frame), frame))
    if not model._known.by_patterns:
        assert len(expected) < 2 or 2 * len(expected) > frame["g"].nunique(dropna=False) - 1
        return
    assert found_by(model, "x") == expected
    pd.testing.assert_frame_equal(model.prior_summary(), in_memory.prior_summary())
    pd.testing.assert_frame_equal(model.cells, in_memory.cells)


FORMULAS = [
    ("y ~ x + (1 | g)", "bernoulli"), ("y | weights(w) ~ a + (1 + x | g)", "bernoulli"),
    ("k/t ~ scale(z) + (1 | s)", None),
    ("c ~ x + offset(log(e)) + (1 | g)", "poisson"), ("yes ~ cut(z, c(0, 0.2, 1)) + (b || s)", "bernoulli"),
    ("c | rate(e) ~ 1 + (0 + z | g)", "poisson"),
]  # fmt: skip


@pytest.fixture(scope="module")
def wide():
    """Groups of few and of many rows, with missing values in each column."""
    rng = np.random.default_rng(3)
    g = np.concatenate([rng.integers(0, 40, 500), np.arange(40, 900)])
    size = len(g)
    frame = pd.DataFrame({
        "g": g, "s": [f"u{each}" for each in g], "x": rng.integers(0, 2, size), "a": rng.choice(["p", "q", "r"], size),
        "z": rng.choice([0.1, 0.3, 0.7], size), "w": rng.integers(0, 3, size), "y": rng.integers(0, 2, size),
        "c": rng.poisson(0.8, size).clip(max=4), "t": rng.integers(0, 3, size), "b": rng.choice([True, False], size),
        "e": rng.choice([0.5, 1.5], size), "yes": rng.choice(["no", "yes"], size),
    })  # fmt: skip
    frame["k"] = rng.binomial(frame["t"], 0.5)
    frame = frame.astype({"y": "Int64", "x": "Int64", "g": "Int64", "c": "Int64"})
    for name in ("y", "x", "g", "s", "c", "z"):
        frame.loc[rng.integers(0, size, 10), name] = None if name == "s" else pd.NA if name != "z" else np.nan
    return frame


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(("text", "family"), FORMULAS)
def test_the_density_is_that_of_rows_in_memory(kind, text, family, wide, monkeypatch):
    monkeypatch.setattr(patterns, "MANY_GROUPS", 2)
    model, in_memory = (hm.model(text, data, family) for data in (kind(pa.Table.from_pandas(wide)), wide))
    one, other = model._known.spec, in_memory._known.spec
    assert one.cells.by_patterns
    assert not other.cells.by_patterns
    assert [own.groups for own in one.cells.groupings.values()] == [own.size for own in other.cells.groupings.values()]
    sources = [replace(own.cells.source, print_of=str) for own in (one, other)]
    assert sources[0] == sources[1]
    problems = [read_problem(own) for own in (one, other)]
    targets = [Target(own, pattern_likelihood(own, find_patterns(own))) for own in problems]
    points = 0.3 * np.random.default_rng(1).normal(size=(5, targets[0].dimension))
    values = [target.placed_at(points[0]).with_nodes(8).log_density(points) for target in targets]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(GROUPS), rng.integers(1, 6, GROUPS))
    x = rng.integers(0, 2, len(g))
    y = rng.binomial(1, expit(-0.4 + 0.5 * x + 0.8 * rng.normal(size=GROUPS)[g]))
    return pd.DataFrame({"y": y, "x": x, "g": [f"u{each}" for each in g]})


@pytest.fixture(scope="module")
def fits(frame):
    """Fits of rows in memory, and of an engine's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "LARGE", 0)
        formula = "y ~ x + (1 | g)"
        return [hm.fit(formula, data, seed=1, draws=200, progress=False) for data in (frame, relation(frame))]


def fresh(fit):
    """The same fit, whose groups have not been asked for."""
    other = fit.update(progress=False, seed=1)
    assert "_posterior" not in vars(other)
    return other


def test_draws_and_averages_are_the_same_and_ask_for_no_group(fits):
    whole, shared = fits[0], fresh(fits[1])
    assert f"{GROUPS:,} groups of g by" in shared.notices[1]
    for name in whole.posterior:
        np.testing.assert_allclose(shared.posterior[name], whole.posterior[name], rtol=1e-12)
    questions = (
        lambda fit: fit.rates().table, lambda fit: fit.rates("x").table, lambda fit: fit.effect("x").table,
        lambda fit: fit.rates(at={"x": [0, 0.5]}).table, lambda fit: fit.rates(by="x", groups="new").table,
        lambda fit: fit.effect("x", groups="typical", scale="odds_ratio").table, lambda fit: fit.fixef(),
        lambda fit: fit.varcorr(), lambda fit: fit.check().table, lambda fit: fit.best("x"),
        lambda fit: fit.prob_beats("x"), lambda fit: fit.pairwise("x"),
    )  # fmt: skip
    for question in questions:
        pd.testing.assert_frame_equal(question(shared), question(whole), rtol=1e-9)
    assert shared.plot.trace().shape == whole.plot.trace().shape
    assert shared.ngrps() == whole.ngrps()
    assert shared.nobs() == whole.nobs()
    assert str(shared.summary()).splitlines()[4:] == str(whole.summary()).splitlines()[4:]
    assert "_posterior" not in vars(shared)


def test_each_group_is_the_same_draw_for_draw(fits):
    whole, shared = fits
    names = {"g": ["u3", "u1100"]}
    for fit in fits:
        fit.answer = fit.rates("x", by="g", where=names)
    np.testing.assert_allclose(shared.answer.draws, whole.answer.draws, rtol=1e-9)
    pd.testing.assert_frame_equal(shared.ranef()["g"], whole.ranef()["g"], rtol=1e-9)
    pd.testing.assert_frame_equal(shared.coef()["g"], whole.coef()["g"], rtol=1e-9)
    rows = pd.DataFrame({"x": [0, 1], "g": ["u7", "u8"]})
    pd.testing.assert_frame_equal(shared.predict(rows).table, whole.predict(rows).table, rtol=1e-9)
    pd.testing.assert_frame_equal(shared.cells, whole.cells)


def asked_apart(fit, question, monkeypatch):
    """The answer of a fit that reads the groups it names and no others."""
    monkeypatch.setattr(fitting, "LEAST_APART", 0)
    answer = question(fit)
    assert "_posterior" not in vars(fit)
    return answer


@pytest.mark.parametrize("names", [["u3"], ["u999", "u3", "u0", "u17", "u1100"]])
def test_groups_that_are_named_are_read_alone(fits, names, monkeypatch):
    whole, shared = fits[0], fresh(fits[1])
    rows = pd.DataFrame({"x": [0, 1] * len(names), "g": names * 2})
    questions = (
        lambda fit: fit.rates("x", by="g", where={"g": names}), lambda fit: fit.effect("x", where={"g": names[0]}),
        lambda fit: fit.rates(by="g", where={"g": names, "x": 1}), lambda fit: fit.predict(rows),
        lambda fit: fit.rates("x", data=rows), lambda fit: fit.rates("x", data=rows[["x"]], groups="typical"),
    )  # fmt: skip
    for question in questions:
        answer, expected = asked_apart(shared, question, monkeypatch), question(whole)
        pd.testing.assert_frame_equal(answer.table, expected.table, rtol=1e-9)
        np.testing.assert_allclose(answer.draws, expected.draws, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_groups_that_are_numbers_are_read_alone_from_any_engine(kind, frame, monkeypatch):
    numbers = frame.assign(g=frame["g"].str[1:].astype(int) * 3)
    whole, shared = (
        hm.fit("y ~ x + (1 | g)", data, seed=1, draws=50, progress=False)
        for data in (numbers, kind(pa.Table.from_pandas(numbers)))
    )
    for names in ([0, 30, 3 * GROUPS - 3], 33):
        question = lambda fit, names=names: fit.rates("x", by="g", where={"g": names})  # noqa: E731
        np.testing.assert_allclose(asked_apart(shared, question, monkeypatch).draws, question(whole).draws, rtol=1e-9)


def test_groups_that_are_not_there_are_refused_as_of_rows_in_memory(fits, monkeypatch):
    monkeypatch.setattr(fitting, "LEAST_APART", 0)
    said = []
    for fit in (fits[0], fresh(fits[1])):
        with pytest.raises(AnswerError, match="u5000") as error:
            fit.rates("x", where={"g": ["u3", "u5000"]})
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_stored_fit_answers_about_all_groups_and_needs_the_data_for_each(fits, frame, tmp_path):
    path, shared = tmp_path / "fit.nc", fresh(fits[1])
    shared.save(path)
    assert path.stat().st_size < 200_000
    stored = hm.load(path)
    pd.testing.assert_frame_equal(stored.effect("x").table, shared.effect("x").table)
    assert str(stored.summary()) == str(shared.summary())
    for question in (lambda: stored.ranef(), lambda: stored.rates(by="g"), lambda: stored.cells):
        with pytest.raises(DataError, match=r"1,200 groups of g has which rows .* hiermod.load\(path, data=...\)"):
            question()
    named = hm.load(path, data=relation(frame))
    pd.testing.assert_frame_equal(named.ranef()["g"], fits[0].ranef()["g"], rtol=1e-9)


@pytest.mark.slow
def test_a_page_of_a_stored_fit_has_what_needs_no_groups(fits, tmp_path):
    path = tmp_path / "fit.nc"
    fresh(fits[1]).save(path)
    page = hm.load(path).report(tmp_path / "page.html").read_text()
    assert "every group: these are left where the data is" in page
    assert "1 vs 0" in page
    assert "pulled" not in page


def test_a_stored_fit_says_where_its_rows_were(frame, tmp_path):
    rows, path = tmp_path / "rows.parquet", tmp_path / "fit.nc"
    frame.to_parquet(rows)
    hm.fit("y ~ x + (1 | g)", rows, seed=1, draws=20, progress=False).save(path)
    with pytest.raises(DataError, match=r"data='.*rows.parquet'"):
        hm.load(path).ranef()


def test_changed_data_is_refused(frame, tmp_path):
    rows = tmp_path / "rows.parquet"
    frame.to_parquet(rows)
    changed, other = frame.copy(), hm.fit("y ~ x + (1 | g)", rows, seed=1, draws=20, progress=False)
    changed.loc[7, "y"] = 1 - changed.loc[7, "y"]
    changed.to_parquet(rows)
    with pytest.raises(DataError, match="The data is not what was fitted"):
        other.ranef()
    changed.iloc[:-1].to_parquet(rows)
    fit = hm.fit("y ~ x + (1 | g)", rows, seed=1, draws=20, progress=False)
    changed.to_parquet(rows)
    with pytest.raises(DataError, match="The data is not what was fitted"):
        fit.ranef()


def test_other_engines_and_families_read_all_groups(frame):
    model = hm.model("y ~ x + (1 | g)", relation(frame))
    fit = model.fit(seed=1, draws=20, tune=50, chains=1, engine="compiled", progress=False)
    assert fit.posterior["1|g"].shape == (1, 20, GROUPS)
    assert "cells" in model.notices[1]
    assert not hm.model("y ~ x + (1 | g)", relation(frame), "bernoulli(probit)")._known.by_patterns
    assert not hm.model("y ~ x + (1 | g)", relation(frame), pooling="normal", compress=False)._known.by_patterns


@pytest.mark.parametrize("name", ["NA", " unknown", "1,000"])
def test_names_that_may_mean_something_else_are_all_looked_at(frame, name):
    odd = frame.replace({"g": {"u3": name}})
    said = [hm.model("y ~ x + (1 | g)", data).notices[2:] for data in (relation(odd), odd)]
    assert said[0] == said[1]


def test_values_that_an_engine_tells_apart_are_counted_once(frame):
    """0.0 and -0.0 are two values in a group-by of some engines, and equal in comparisons."""
    signed = frame.assign(z=np.where(np.arange(len(frame)) % 3 == 0, -0.0, np.where(frame["x"] == 1, 0.5, 0.0)))
    for data in (relation(signed), pl.from_pandas(signed).lazy()):
        model, in_memory = (hm.model("y ~ z + (1 | g)", each) for each in (data, signed))
        assert model._known.spec.cells.response.weight.sum() == len(frame)
        pd.testing.assert_frame_equal(model.cells, in_memory.cells)


def test_few_groups_are_read(frame):
    few = frame[frame["g"].isin([f"u{each}" for each in range(900)])]
    assert not hm.model("y ~ x + (1 | g)", relation(few))._known.by_patterns


def test_polars_eager_frames_are_read(frame):
    assert not hm.model("y ~ x + (1 | g)", pl.from_pandas(frame))._known.by_patterns
