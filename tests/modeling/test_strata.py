"""Rates pooled within segments, each by a distribution of its own; and formulas that pooled rates cannot take."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import DataError, FormulaError, ModelError, PriorError

QUICK = {"seed": 1, "draws": 500, "progress": False}
ROWS = [(s, d, v) for s in ("old", "new") for d in ("phone", "desk") for v in "ABC"]
TRIAL = pd.DataFrame(ROWS, columns=["segment", "device", "variant"]).assign(
    s=[30, 41, 35, 22, 50, 44, 12, 18, 25, 60, 44, 51],
    n=100,
    e=np.arange(1.0, 13.0),
    x=np.arange(12) / 7.0,
    week=np.arange(12) // 2,
)
BY_BOTH = "segment:device:variant"


def fitted(formula, data=TRIAL, **options):
    return hm.fit(formula, data, **{"pooling": "beta", **QUICK, **options})


@pytest.mark.parametrize(
    "formula",
    [f"s/n ~ segment:device + (1 | {BY_BOTH})", f"s/n ~ 0 + device:segment + (1 | {BY_BOTH})",
     f"s/n ~ segment * device + (1 | {BY_BOTH})"],
)  # fmt: skip
def test_segments_of_several_columns_are_fits_of_their_own(formula):
    fit = fitted(formula, draws=4000)
    table = fit.shrinkage()["estimate"]
    for (segment, device), own in TRIAL.groupby(["segment", "device"]):
        alone = fitted("s/n ~ (1 | variant)", own, draws=4000)
        draws = alone.posterior["rate|variant"].to_numpy().reshape(-1, 3)
        labels = [f"{segment}:{device}:{variant}" for variant in "ABC"]
        assert (np.abs(table[labels].to_numpy() - draws.mean(axis=0)) < 6 * draws.std(axis=0) / 126).all()


def test_questions_take_several_by_in_one_call():
    fit = fitted(f"s/n ~ segment + (1 | {BY_BOTH})")
    table = fit.rates("variant", by=["segment", "device"]).table
    assert list(table.columns[:3]) == ["segment", "device", "variant"]
    assert len(table) == 12
    for question in (fit.best("variant", by=["segment", "device"]), fit.pairwise("variant", by=["segment", "device"])):
        assert list(question.index.names[:2]) == ["segment", "device"]
        assert len(question) == 12
    lift = fit.effect("variant", by=["segment", "device"]).table
    assert len(lift) == 8
    rates = table.set_index(["segment", "device", "variant"])["estimate"]
    for row in lift.itertuples():
        treated = rates[row.segment, row.device, row.contrast[0]]
        np.testing.assert_allclose(row.estimate, treated - rates[row.segment, row.device, "A"])


def test_strata_are_independent_and_new_groups_are_of_their_stratum():
    fit = fitted("s/n ~ segment + (1 | segment:variant)", TRIAL[TRIAL["device"] == "desk"], draws=4000)
    means = fit.posterior["rate_mean"].to_numpy().reshape(-1, 2)
    assert abs(np.corrcoef(means.T)[0, 1]) < 0.05
    new = pd.DataFrame({"segment": ["old", "new"], "variant": ["Z", "Z"]})
    found = fit.predict(new, groups="new").draws.to_numpy().reshape(-1, 2)
    spread = found.std(axis=0) / np.sqrt(len(found))
    order = [list(fit.posterior["segment__factor_dim"].to_numpy()).index(own) for own in ("old", "new")]
    assert (np.abs(found.mean(axis=0) - means.mean(axis=0)[order]) < 5 * spread).all()


def test_events_are_pooled_within_segments():
    formula = "s ~ segment + offset(log(e)) + (1 | segment:device:variant)"
    fit = fitted(formula, pooling="gamma", priors={"rate": "LogNormal(2, 2)", "shape": "LogNormal(1, 1)"}, draws=4000)
    own = TRIAL[TRIAL["segment"] == "old"]
    alone = fitted("s ~ offset(log(e)) + (1 | device:variant)", own, pooling="gamma", draws=4000,
                   priors={"rate": "LogNormal(2, 2)", "shape": "LogNormal(1, 1)"})  # fmt: skip
    both, one = fit.shrinkage(), alone.shrinkage()
    both = both[both.index.str.startswith("old:")]
    error = (one["upper"] - one["lower"]).to_numpy() / 4 / np.sqrt(16_000)
    assert (np.abs(both["estimate"].to_numpy() - one["estimate"].to_numpy()) < 7 * error).all()
    np.testing.assert_allclose(both["n"], one["n"])


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("s/n ~ 1", r"takes one bar, and here is no bar: s/n ~ \(1 \| g\)"),
        ("s/n ~ (1 | variant) + (1 | device)", "takes one bar, and here is 2 bars"),
        ("s/n ~ (1 + x | variant)", r"have no slopes: write \(1 \| variant\)"),
        ("s/n ~ 0 + (1 | variant)", "no intercept to leave out"),
        ("s/n ~ offset(x) + (1 | variant)", "leave offset\\(\\) out; events by exposure are pooled by pooling='gamma'"),
        ("s/n ~ x + (1 | variant)", "'x' is no part of the groups: as a predictor it needs pooling='normal'"),
        ("s/n ~ segment + (1 | variant)", r"to pool within its levels write \(1 \| segment:variant\)"),
        ("s/n ~ variant + (1 | variant)", r"are the groups themselves, .* write \(1 \| variant\) alone"),
        (f"s/n ~ segment + device + (1 | {BY_BOTH})", "Segments do not add up: write segment:device"),
        ("s/n ~ week + (1 | week:variant)", r"'week' holds numbers, .* Write factor\(week\)"),
    ],
)
def test_other_formulas_are_refused_with_what_can_be_written(formula, match):
    with pytest.raises(FormulaError, match=match):
        fitted(formula)


@pytest.mark.parametrize(
    ("changed", "options", "error", "match"),
    [
        ({"s": 3.5}, {}, DataError, r"'s' is fractional in 12 rows \(row 0: 3.5\)\. As numbers"),
        ({"n": 7.5}, {}, DataError, r"'n' is fractional.*As numbers, with a family of these such as gaussian"),
        ({"s": 130}, {}, DataError, r"More successes than trials.*If n counts failures, write cbind\(s, n\)"),
        ({"s": -1}, {}, DataError, r"'s' is negative.*A marker of what is missing has to be None"),
        ({}, {"priors": {"sizes": "LogNormal(3, 1)"}}, PriorError, "has no prior 'sizes'. Did you mean 'size'"),
        ({}, {"priors": {"sd": "HalfNormal(1)"}}, PriorError, "There is: 'rate', 'size', 'a', 'b'"),
        (
            {},
            {"pooling": "none", "priors": {"rate": "Beta(2, 8)"}},
            PriorError,
            "each rate is uniform.*Say pooling='beta'",
        ),
        ({}, {"pooling": "complete"}, ModelError, "There is: 'normal', 'beta', 'gamma', 'none'"),
        (
            {},
            {"family": "beta_binomial"},
            DataError,
            "not for family beta_binomial.*other responses by pooling='normal'",
        ),
        ({}, {"pooling": "gamma"}, DataError, "for successes out of trials say 'binomial'"),
    ],
)
def test_data_and_priors_that_do_not_fit_are_refused_with_what_can_be_done(changed, options, error, match):
    with pytest.raises(error, match=match):
        fitted("s/n ~ (1 | variant)", TRIAL.assign(**changed), **options)


def test_counts_that_are_no_whole_numbers_are_refused():
    with pytest.raises(DataError, match=r"'s' holds 3.5 \(row 0\)\. .*other numbers need a family such as gaussian"):
        fitted("s ~ offset(log(e)) + (1 | variant)", TRIAL.assign(s=3.5), pooling="gamma")
