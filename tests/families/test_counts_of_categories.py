"""Counts of categories in several columns: the model of the counted rows, densities of rows, answers, refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from modeling_tools import assert_equal_up_to_one_constant, log_density, model_of, random_points, spec_of
from scipy import special, stats

import hiermod as hm
from hiermod.errors import AnswerError, DataError, FormulaError
from hiermod.formula.parser import parse

NAMES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def counted():
    rng = np.random.default_rng(1)
    x, g = rng.integers(0, 2, 90), rng.integers(0, 6, 90)
    eta = np.column_stack([np.zeros(90), 0.3 + 0.8 * x, -0.4 - 0.5 * x + 0.2 * g])
    trials = rng.integers(0, 9, 90)
    counts = [rng.multinomial(n, p) for n, p in zip(trials, special.softmax(eta, axis=1), strict=True)]
    return pd.DataFrame(counts, columns=NAMES).assign(x=x, g=[f"g{k}" for k in g], n=trials)


@pytest.fixture(scope="module")
def fit(counted):
    return hm.fit("cbind(a, b, c) ~ x + (1 | p | g)", counted, draws=150, tune=150, chains=2, seed=1, progress=False)


def stacked(counted):
    return counted.melt(id_vars=["x", "g"], value_vars=NAMES, var_name="y", value_name="w")


def by_hand(fit, counted):
    """Chances of the categories in each row, shape (draws, rows, categories)."""
    draws = fit.posterior.stack(s=("chain", "draw"))
    levels = [str(level) for level in draws["g"].values] if "g" in draws.coords else sorted(counted["g"].unique())
    codes = counted["g"].map(levels.index).to_numpy()
    etas = [np.zeros((draws.sizes["s"], len(counted)))]
    for name in ("mub", "muc"):
        common = draws[f"{name}_Intercept"].values[:, None] + draws[f"{name}_x"].values[:, None] * counted["x"].values
        etas.append(common + draws[f"{name}_1|g"].transpose("s", ...).values[:, codes])
    return special.softmax(np.stack(etas, axis=2), axis=2)


def drawn(answer):
    return answer.draws.transpose("chain", "draw", "row").values.reshape(-1, answer.draws.sizes["row"])


@pytest.mark.parametrize("family", [None, "cumulative"])
def test_the_model_is_that_of_the_counted_rows(counted, family):
    bar = "(1 | p | g)" if family is None else "(1 | g)"
    wide = spec_of(f"cbind(a, b, c) ~ x + {bar}", counted, family)
    rows = stacked(counted)
    rows["y"] = pd.Categorical(rows["y"], NAMES, ordered=True)
    tall = spec_of(f"y | weights(w) ~ x + {bar}", rows, family or "categorical")
    assert [variable.name for variable in wide.variables()] == [variable.name for variable in tall.variables()]
    keys = ["x", "g", "value"]
    one, other = (spec.cells.table()[[*keys, "count"]].sort_values(keys, ignore_index=True) for spec in (wide, tall))
    pd.testing.assert_frame_equal(one.astype(str), other.astype(str))


def test_cells_have_the_multinomial_density_of_the_rows_up_to_one_constant(counted):
    model = model_of("cbind(a, b, c) ~ x", counted)
    points, seen = random_points(model, 8), []
    for point in points:
        eta = [point[f"{name}_Intercept"] + point[f"{name}_x"] * counted["x"].to_numpy() for name in ("mub", "muc")]
        chances = special.softmax(np.stack([np.zeros(len(counted)), *eta], axis=1), axis=1)
        rows = stats.multinomial.logpmf(counted[NAMES].to_numpy(), counted["n"].to_numpy(), chances).sum()
        prior = sum(
            stats.t.logpdf(point[f"{name}_x"], 3) + stats.t.logpdf(point[f"{name}_Intercept"], 3)
            for name in ("mub", "muc")
        )
        seen.append(rows + prior)
    density = log_density(model)
    assert_equal_up_to_one_constant([density(point) for point in points], seen)


def test_an_observation_is_a_row_with_its_multinomial_density(fit, counted):
    used = counted[counted["n"] > 0]
    loo = fit.loo(max_refits=0)
    pointwise = loo.pointwise
    assert pointwise["times"].sum() == len(used)
    assert list(pointwise.columns[:5]) == ["cell", *NAMES, "times"]
    chances = by_hand(fit, used)
    density = stats.multinomial.logpmf(used[NAMES].to_numpy(), used["n"].to_numpy(), chances)
    expected = (special.logsumexp(density, axis=0) - np.log(len(density))).sum()
    assert loo.elpd + loo.p == pytest.approx(expected, abs=1e-9)


def test_rates_are_averages_by_trials(fit, counted):
    answer = fit.rates("x")
    assert list(answer.table["category"]) == NAMES * 2
    for place, x in enumerate((0, 1)):
        chances = by_hand(fit, counted.assign(x=x))
        mean = np.average(chances, axis=1, weights=counted["n"])
        np.testing.assert_allclose(drawn(answer)[:, 3 * place : 3 * place + 3], mean, atol=1e-12)
        np.testing.assert_allclose(drawn(fit.rates("x", outcome="b"))[:, place], mean[:, 1], atol=1e-12)
    assert set(answer.table["rows"]) == {counted["n"].sum()}
    again = fit.rates("x", outcome="b", data=counted)
    np.testing.assert_allclose(drawn(again), drawn(fit.rates("x", outcome="b")), atol=1e-12)
    shares = fit.ppc()
    np.testing.assert_allclose(shares["observed"], counted[NAMES].sum() / counted["n"].sum())


def test_stored_fits_folds_and_comparisons_keep_the_rows(fit, counted, tmp_path):
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    assert again.loo(max_refits=0).elpd == pytest.approx(fit.loo(max_refits=0).elpd, abs=1e-12)
    plain = hm.fit("cbind(a, b, c) ~ 1", counted, draws=100, tune=100, chains=2, seed=1, progress=False)
    table = hm.compare({"x": fit, "none": plain}, method="kfold", k=2, progress=False)
    assert table.table.index[0] == "x"
    assert set(NAMES) <= set(table.pointwise.columns.get_level_values(-1))
    with pytest.raises(AnswerError, match="have counts of several categories"):
        fit.residuals(type="quantile")


def test_lazy_frames_are_counted_where_they_are(counted):
    many = pl.DataFrame(pd.concat([counted] * 1200)).lazy()
    lazy, plain = hm.model("cbind(a, b, c) ~ x + (1 | g)", many), hm.model("cbind(a, b, c) ~ x + (1 | g)", counted)
    keys = ["x", "g", "value"]
    one, other = (model.cells.sort_values(keys, ignore_index=True) for model in (lazy, plain))
    assert (one["count"] == 1200 * other["count"]).all()
    zeros = int((counted["n"] == 0).sum())
    assert any(f"{1200 * zeros:,} rows with 0 trials" in notice for notice in lazy.notices)


def test_spellings_of_other_packages(counted):
    brms = hm.model("cbind(a, b, c) | trials(n) ~ x", counted, "multinomial")
    assert (brms.formula, str(brms.family)) == ("cbind(a, b, c) | trials(n) ~ x", "categorical")
    assert hm.translate("cbind(a, b, c) ~ x", "brms") == "cbind(a, b, c) | trials(a + b + c) ~ x"
    assert hm.translate("cbind(a, b, c) | trials(n) ~ x", "bambi") == "c(a, b, c) ~ x"
    assert str(parse("c(a, b, c) ~ x")) == "cbind(a, b, c) ~ x"
    assert str(hm.model("cbind(a, b) ~ x", counted).family) == "binomial"


@pytest.mark.parametrize(
    ("formula", "changes", "family", "message"),
    [
        ("cbind(a, b, c) ~ x", {"a": -1}, None, "'a' is negative in 90 rows"),
        ("cbind(a, b, c) ~ x", {"a": 0.5}, None, "'a' is fractional in 90 rows"),
        ("cbind(a, b, c) ~ x", {"a": 0, "b": 0, "c": 0}, None, "every row has 0 trials"),
        ("cbind(a, b, c) | trials(n) ~ x", {"n": 50}, None, "do not add up to n in 90 rows"),
        ("cbind(a, b, c) ~ x", {}, "binomial", r"One against the rest: cbind\(a, b \+ c\)"),
        ("cbind(a, b, c) ~ x", {}, "poisson", "takes one number a row"),
        ("cbind(a, b) ~ x", {}, "categorical", r"counts of three or more, cbind\(a, b, c\)"),
    ],
)  # fmt: skip
def test_what_are_no_counts_of_categories_is_refused(counted, formula, changes, family, message):
    with pytest.raises(DataError, match=message):
        hm.model(formula, counted.assign(**changes), family)


def test_columns_are_counted_once_and_stand_on_one_side():
    with pytest.raises(FormulaError, match="a is counted twice"):
        parse("cbind(a, b, a) ~ x")
    with pytest.raises(FormulaError, match="'b' counts a category of the response"):
        parse("cbind(a, b, c) ~ b")


def test_a_category_without_counts_is_told(counted):
    notices = hm.model("cbind(a, b, c) ~ x", counted.assign(b=0)).notices
    assert any("of 'b' there is none: the prior alone tells of such" in notice for notice in notices)
