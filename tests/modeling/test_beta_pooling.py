"""pooling="beta": the density of its two parameters by hand, the rates' conditional, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import QUICK, assert_equal_up_to_one_constant, random_points
from scipy import stats

from hiermod.data.cells.compress import compress
from hiermod.data.cells.rows import read_rows
from hiermod.errors import DataError, FormulaError, PriorError
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse
from hiermod.modeling.pooled import MEAN, SPREAD, build_pooled
from hiermod.modeling.pymc.model import build_model

COUNTS = pd.DataFrame({"g": list("abcd"), "s": [30, 50, 55, 0], "n": [100, 100, 90, 12], "x": [1.0, 2.0, 3.0, 5.0]})


def beta_spec(text, data, priors=None, family=None):
    formula = parse(text)
    rows = read_rows(formula, data)
    chosen, _ = choose_family(None if family is None else read_family(family), rows.response)
    return build_pooled("beta", formula, chosen, compress(rows, chosen.statistic), priors or {})


def test_the_density_is_the_hyperprior_times_beta_binomials():
    model = build_model(beta_spec("s/n ~ (1 | g)", COUNTS))
    density = model.compile_logp(mode=QUICK)
    points = random_points(model)

    def by_hand(point):
        mean = 1 / (1 + np.exp(-point["rate_mean_interval__"]))
        spread = np.exp(point["rate_spread_log__"])
        a, b = mean / spread**2, (1 - mean) / spread**2
        total = -2.5 * np.log(a + b)  # p(a, b)
        # from (a, b) to (mean, spread): |d(a, b)/d(mean, spread)| = 2 spread^-5, then to the real line
        total += np.log(2) - 5 * np.log(spread) + np.log(mean) + np.log1p(-mean) + np.log(spread)
        return total + stats.betabinom(COUNTS["n"], a, b).logpmf(COUNTS["s"]).sum()

    assert_equal_up_to_one_constant([density(point) for point in points], [by_hand(point) for point in points])


def test_rows_counts_and_several_rows_of_a_group_are_one_model():
    rows = COUNTS.loc[COUNTS.index.repeat(COUNTS["n"])].reset_index(drop=True)
    rows["y"] = np.concatenate([np.arange(n) < s for s, n in zip(COUNTS["s"], COUNTS["n"], strict=True)])
    half = COUNTS.assign(s=COUNTS["s"] // 2, n=COUNTS["n"] // 2)
    rest = COUNTS.assign(s=COUNTS["s"] - half["s"], n=COUNTS["n"] - half["n"])
    for text, data in (("y ~ (1 | g)", rows), ("s/n ~ (1 | g)", pd.concat([half, rest]))):
        spec = beta_spec(text, data)
        np.testing.assert_array_equal(spec.events, COUNTS["s"])
        np.testing.assert_array_equal(spec.exposure, COUNTS["n"])


def test_rates_are_drawn_from_their_conditional():
    spec = beta_spec("s/n ~ (1 | g)", COUNTS)
    mean, spread = np.full((2, 4000), 0.4), np.full((2, 4000), 0.3)
    rates = spec.derived({MEAN: mean, SPREAD: spread}, 1)[spec.rate_name]
    assert rates.shape == (2, 4000, 4)
    size = 1 / 0.3**2
    for place, row in enumerate(COUNTS.itertuples()):
        expected = stats.beta(0.4 * size + row.s, 0.6 * size + row.n - row.s)
        assert stats.kstest(rates[..., place].ravel(), expected.cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    "text", ["s/n ~ x + (1 | g)", "s/n ~ 0 + (1 | g)", "s/n ~ (x | g)", "s/n ~ 1", "s/n ~ (1 | g) + (1 | x2)"]
)
def test_other_formulas_are_refused(text):
    with pytest.raises(FormulaError, match=r"for the rates of groups alone"):
        beta_spec(text, COUNTS.assign(x2=[1, 2, 3, 4]))


def test_other_priors_and_families_are_refused():
    with pytest.raises(PriorError, match="has no prior 'Intercept'"):
        beta_spec("s/n ~ (1 | g)", COUNTS, {"Intercept": "Normal(0, 1)"})
    with pytest.raises(DataError, match="not for family gaussian"):
        beta_spec("x ~ (1 | g)", COUNTS)
    with pytest.raises(DataError, match="not for family"):
        beta_spec("s/n ~ (1 | g)", COUNTS, None, "binomial(probit)")


@pytest.mark.parametrize("successes", [[0, 0, 0, 0], [100, 100, 90, 12], [0, 100, 0, 12]])
def test_without_a_mixed_group_the_posterior_is_improper(successes):
    with pytest.raises(DataError, match="no proper posterior"):
        beta_spec("s/n ~ (1 | g)", COUNTS.assign(s=successes))


def test_one_mixed_group_is_enough():
    spec = beta_spec("s/n ~ (1 | g)", COUNTS.assign(s=[0, 100, 45, 12]))
    assert spec.events.tolist() == [0, 100, 45, 12]
