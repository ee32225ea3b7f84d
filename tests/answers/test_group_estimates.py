"""`ranef`, `coef` and `draws`: held against the posterior's own variables, and against lme4's conditional sds."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars
import pytest

import hiermod as hm
from hiermod.errors import AnswerError


@pytest.fixture(scope="module")
def crossed_fit():
    """Two factors, one of them with two uncorrelated terms, and numbers as levels."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame(
        {"site": rng.integers(1, 6, 200), "item": rng.choice(list("abcd"), 200), "x": rng.normal(size=200)}
    )
    data["y"] = data["x"] + data["site"] / 3 + rng.normal(size=200)
    return hm.fit("y ~ x + (1 + x || site) + (1 | item)", data, chains=2, seed=1, progress=False)


def test_tables_by_group_are_a_dict_of_frames(crossed_fit):
    effects = crossed_fit.ranef()
    assert isinstance(effects, dict)
    assert {name: (frame.index.name, list(frame.columns)) for name, frame in effects.items()} == {
        "site": ("site", ["Intercept", "x"]),
        "item": ("item", ["Intercept"]),
    }
    assert list(effects["site"].index) == [1, 2, 3, 4, 5]


def test_sd_and_interval_are_those_of_the_draws(crossed_fit):
    table = crossed_fit.ranef(prob=0.8).table.set_index(["group", "term", "level"])
    draws = crossed_fit.posterior["x|site"].sel({"site__factor_dim": "4"}).to_numpy().ravel()
    row = table.loc[("site", "x", 4)]
    expected = [draws.mean(), draws.std(ddof=1), *np.quantile(draws, [0.1, 0.9])]
    np.testing.assert_allclose(row[["estimate", "sd", "lower", "upper"]].to_numpy(dtype=float), expected)


def test_coefficients_are_summarized_after_the_sum_within_each_draw(crossed_fit):
    posterior, table = crossed_fit.posterior, crossed_fit.coef().table.set_index(["group", "term", "level"])
    common = posterior["Intercept"].to_numpy().ravel()
    draws = common + posterior["1|site"].sel({"site__factor_dim": "2"}).to_numpy().ravel()
    assert table.loc[("site", "Intercept", 2), "sd"] == pytest.approx(draws.std(ddof=1))
    assert table.loc[("item", "x", "a"), "sd"] == pytest.approx(posterior["x"].to_numpy().std(ddof=1))
    assert list(crossed_fit.coef()["item"].columns) == ["Intercept", "x"]


def test_draws_of_groups_carry_levels_and_terms(crossed_fit):
    draws = crossed_fit.coef().draws["site"]
    assert draws.dims == ("chain", "draw", "level", "term")
    expected = crossed_fit.posterior["x"] + crossed_fit.posterior["x|site"].sel({"site__factor_dim": "5"})
    np.testing.assert_allclose(draws.sel(level=5, term="x"), expected)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda effects: pickle.loads(pickle.dumps(effects))])
def test_copies_keep_the_table(crossed_fit, again):
    effects = crossed_fit.ranef()
    pd.testing.assert_frame_equal(again(effects).table, effects.table)


def test_conditional_sds_are_near_those_of_lme4(sleepstudy_fit):
    """`as.data.frame(ranef(m))` of lme4 has the condsd 12.07 for intercepts, 2.305 for slopes in all groups.

    Those condition on the estimated variances, so that the posterior's are somewhat larger.
    """
    sds = sleepstudy_fit.ranef().table.groupby("term")["sd"].mean()
    assert 12.07 < sds["Intercept"] < 1.25 * 12.07
    assert 2.305 < sds["Days"] < 1.25 * 2.305


def test_without_groups_there_are_no_tables():
    data = pd.DataFrame({"y": [0.1, 1.2, 2.1, 2.9, 4.2], "x": range(5)})
    fit = hm.fit("y ~ x", data, draws=50, chains=2, seed=1, progress=False)
    assert fit.ranef() == {}
    assert fit.coef().table.empty
    assert list(fit.draws().columns) == ["chain", "draw", "Intercept", "x", "sigma"]


def test_probabilities_of_intervals_are_checked(crossed_fit):
    for question in (crossed_fit.ranef, crossed_fit.coef, crossed_fit.fixef):
        with pytest.raises(AnswerError, match="prob=-1"):
            question(prob=-1)


def test_tidy_draws_have_a_row_per_draw_and_a_column_per_parameter(crossed_fit):
    table = crossed_fit.draws()
    assert table.shape == (2000, 2 + 2 + 3 + 1 + 5 + 5 + 4)
    assert list(table.columns[:8]) == [
        "chain",
        "draw",
        "Intercept",
        "x",
        "sd(1|site)",
        "sd(x|site)",
        "sd(1|item)",
        "sigma",
    ]
    row = table.query("chain == 1 and draw == 17").iloc[0]
    assert row["x|site[3]"] == crossed_fit.posterior["x|site"].sel(chain=1, draw=17, site__factor_dim="3").item()
    pd.testing.assert_frame_equal(
        crossed_fit.draws(["sigma", "1|item"]), table[["chain", "draw", "sigma", *table.columns[-4:]]]
    )


def test_the_long_form_has_a_row_per_draw_and_level(crossed_fit):
    table = crossed_fit.draws(group="site")
    assert list(table.columns) == ["chain", "draw", "site", "Intercept", "x"]
    assert len(table) == 2000 * 5
    wide = crossed_fit.draws(["x|site[3]"])
    found = table[table["site"] == 3].reset_index(drop=True)
    np.testing.assert_array_equal(found["x"], wide["x|site[3]"])
    np.testing.assert_array_equal(found[["chain", "draw"]], wide[["chain", "draw"]])


def test_polars_takes_tidy_draws(crossed_fit):
    for table in (crossed_fit.draws(), crossed_fit.draws(group="item")):
        taken = polars.from_pandas(table)
        assert taken.columns == list(table.columns)
        assert taken.height == len(table)


def test_unknown_parameters_and_factors_are_named(crossed_fit):
    with pytest.raises(AnswerError, match=r"no parameter 'sigm'.*'sigma'"):
        crossed_fit.draws("sigm")
    with pytest.raises(AnswerError, match=r"'sites' is no grouping factor.*'site'"):
        crossed_fit.draws(group="sites")
    with pytest.raises(AnswerError, match="join both tables by chain and draw"):
        crossed_fit.draws("x", group="site")


def test_pooled_rates_are_columns_and_have_no_effects(variants_fit):
    assert [name[-3:] for name in variants_fit.draws().columns[-4:]] == ["[A]", "[B]", "[C]", "[D]"]
    with pytest.raises(AnswerError, match="pooling"):
        variants_fit.draws(group="variant")
