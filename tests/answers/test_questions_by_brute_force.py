"""`rates` and `effect` of random models on random data against averages of predicted rows, empty cells included."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions_by_hand import BARS, TERMS, random_fit


def predicted(fit, rows, **what):
    """Draws of each row; NaN where it is not estimable or its group was not seen."""
    known = np.ones(len(rows), dtype=bool)
    for grouping in fit._posterior.spec.cells.groupings.values():
        known &= fit.model._defined.spec.cells.groupings[grouping.name].codes(rows) >= 0
    out = np.full((len(rows), 5), np.nan)
    if known.any():
        out[known] = fit.predict(rows[known].reset_index(drop=True), **what).draws.to_numpy().reshape(-1, known.sum()).T
    return out


def brute_force(fit, frame, weight, variable, levels, by, **what):
    """The average at each level in each cell: over rows that are estimable at all levels, or else at that level."""
    arms = [predicted(fit, frame.assign(**{variable: level}), **what) for level in levels]
    known = [~np.isnan(arm).any(axis=1) for arm in arms]
    cells = {}
    keys = frame[by] if by else pd.Series(["all"] * len(frame))
    for cell in sorted(keys.unique()):
        rows = (keys == cell).to_numpy()
        shared = rows & np.logical_and.reduce(known)
        for level, arm, own in zip(levels, arms, known, strict=True):
            used = shared if shared.any() else rows & own
            cells[cell, level] = (weight[used] @ arm[used]) / weight[used].sum() if used.any() else np.full(5, np.nan)
    return cells


def check(seed, terms, bars, family, variable, by, second="", **what):
    rng = np.random.default_rng(seed)
    fit, frame, weight = random_fit(rng, terms, bars, family, second=second)
    levels = sorted(frame[variable].unique())
    expected = brute_force(fit, frame, weight, variable, levels, by, **what)
    answer = fit.rates(variable, by=by, **what)
    draws = answer.draws.to_numpy().reshape(5, -1).T
    keys = answer.table[[*([by] if by else []), variable]].astype(str).agg("|".join, axis=1).tolist()
    for (cell, level), one in expected.items():
        place = keys.index("|".join([*([str(cell)] if by else []), str(level)]))
        np.testing.assert_allclose(draws[place], one, rtol=1e-9, atol=1e-12)
        assert answer.table["rows"].iloc[place] == weight[(frame[by] == cell) if by else slice(None)].sum()
        seen = (frame[variable] == level) & ((frame[by] == cell) if by else True)
        assert answer.table["seen"].iloc[place] == weight[seen].sum()
    if len(levels) > 1:
        effect = fit.effect(variable, by=by, **what).draws.to_numpy().reshape(5, -1).T
        pairs = [(cell, level) for cell in dict.fromkeys(cell for cell, _ in expected) for level in levels[1:]]
        for row, (cell, level) in zip(effect, pairs, strict=True):
            np.testing.assert_allclose(row, expected[cell, level] - expected[cell, levels[0]], rtol=1e-9, atol=1e-12)


CASES = (
    st.integers(0, 2**32 - 1), st.lists(st.sampled_from(TERMS), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from(BARS), max_size=2, unique=True), st.sampled_from(["binomial", "gaussian"]),
    st.sampled_from(["a", "b", "x", "g"]), st.sampled_from([None, "a", "b", "g"]),
)  # fmt: skip


def asked(terms, bars, variable, by):
    """Whether the model has the columns that are asked for."""
    text = " ".join([*terms, *bars])
    return variable != by and variable in text.replace("|", " ") and (by is None or by in text)


@settings(max_examples=40, deadline=None)
@given(*CASES)
def test_rates_and_effects_are_averages_of_predicted_rows(seed, terms, bars, family, variable, by):
    if asked(terms, bars, variable, by):
        check(seed, terms, bars, family, variable, by)


OUTCOMES = ({}, {"outcome": "q90"}, {"outcome": ">0.5"}, {"parameter": "sigma"})
SECOND = ("; sigma ~ a", "; sigma ~ b + x", "; sigma ~ a + (1 | g)", "; sigma ~ x + (1 | p | g)")


@settings(max_examples=12, deadline=None)
@given(*CASES[:2], st.sampled_from(SECOND), st.sampled_from(OUTCOMES), st.sampled_from(["a", "b", "g"]), CASES[5])
def test_so_they_are_with_several_linear_predictors(seed, terms, second, what, variable, by):
    bars = ["(1 | p | g)"] if "p |" in second else ["(1 | g)"]
    if asked(terms, bars, variable, by):
        check(seed, terms, bars, "gaussian", variable, by, second, **what)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(*CASES)
def test_a_thousand_random_models(seed, terms, bars, family, variable, by):
    if asked(terms, bars, variable, by):
        check(seed, terms, bars, family, variable, by)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["difference", "link"]))
def test_effects_of_segments_add_up_to_the_whole(seed, scale):
    rng = np.random.default_rng(seed)
    fit, frame, weight = random_fit(rng, ["a", "b", "x:a"], ["(1 | g)"], "binomial")
    whole = fit.effect("a", scale=scale).draws.to_numpy().ravel()
    parts = fit.effect("a", by="b", scale=scale).draws.to_numpy().reshape(5, -1)
    share = pd.Series(weight).groupby(frame["b"]).sum().to_numpy() / weight.sum()
    np.testing.assert_allclose(parts @ share, whole, rtol=1e-9, atol=1e-12)
