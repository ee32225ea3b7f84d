"""Responses of categories: what is read, what is refused and how, and where priors of thresholds stand."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from modeling_tools import spec_and_notices, spec_of
from scipy import stats

import hiermod as hm
from hiermod.errors import DataError, ModelError, PriorError

FRAME = pd.DataFrame({"r": [1, 2, 3, 4, 2, 3] * 10, "x": np.arange(60.0), "f": list("abc") * 20})
CATEGORIES = ["low", "mid", "high", "top"]
NAMED = FRAME.assign(r=pd.Categorical.from_codes(FRAME["r"] - 1, CATEGORIES, ordered=True))


def categories_of(frame, family="cumulative"):
    return spec_of("r ~ x", frame, family).family.categories


def test_categories_are_levels_in_order_or_whole_numbers():
    assert categories_of(FRAME) == (1, 2, 3, 4)
    assert categories_of(FRAME.assign(r=FRAME["r"] * 2)) == (2, 4, 6, 8)
    assert categories_of(NAMED) == ("low", "mid", "high", "top")
    enum = pl.DataFrame(FRAME).with_columns(
        pl.Series("r", NAMED["r"].astype(str).to_list()).cast(pl.Enum(["low", "mid", "high", "top"]))
    )
    assert categories_of(enum) == ("low", "mid", "high", "top")
    assert categories_of(NAMED.assign(r=NAMED["r"].astype(str)), "categorical") == ("high", "low", "mid", "top")


def test_text_without_an_order_is_refused_with_how_to_give_one():
    with pytest.raises(DataError, match=r"in an order, and 'r' holds 'high', 'low', 'mid', 'top' without one"):
        categories_of(NAMED.assign(r=NAMED["r"].astype(str)))
    with pytest.raises(DataError, match="without one"):
        categories_of(NAMED.assign(r=NAMED["r"].cat.as_unordered()))


def test_an_order_may_be_given_in_the_formula():
    text = NAMED.assign(r=NAMED["r"].astype(str))
    ordered = "ordered(r, levels = c('low', 'mid', 'high', 'top', 'best')) ~ x"
    model = hm.model(ordered, text, "cumulative")
    assert any("low < mid < high < top < best; 'best' does not occur" in notice for notice in model.notices)
    same = hm.model("r ~ x", NAMED.assign(r=NAMED["r"].cat.add_categories(["best"])), "cumulative")
    pd.testing.assert_frame_equal(model.cells, same.cells)
    for numbers in ("as.ordered(r) ~ x", "factor(r) ~ x"):  # which have an order
        assert spec_of(numbers, FRAME, "cumulative").family.categories == (1, 2, 3, 4)
    with pytest.raises(DataError, match=r"ordered\(r, levels = c\("):
        spec_of("r ~ x", text, "cumulative")


@pytest.mark.parametrize("family", ["cumulative", "categorical"])
def test_two_categories_are_a_rate(family):
    with pytest.raises(DataError, match=r"three categories or more; 'r' holds '1', '2'.*family='bernoulli'"):
        categories_of(FRAME.assign(r=FRAME["r"].clip(upper=2)), family)


def test_numbers_that_are_no_categories_are_refused():
    with pytest.raises(DataError, match="whole numbers or an ordered factor"):
        categories_of(FRAME.assign(r=FRAME["r"] / 3.0))
    with pytest.raises(DataError, match="at most 100 can have thresholds"):
        categories_of(FRAME.assign(r=np.arange(60) * 7).loc[np.repeat(np.arange(60), 2)].assign(r=np.arange(120)))


def test_an_ordered_response_without_a_family_is_asked_about():
    with pytest.raises(DataError, match=r"ordered categories .* Did you mean family='cumulative'\?"):
        hm.model("r ~ x", NAMED)
    notices = spec_and_notices("r ~ x", FRAME, "gaussian")[1]
    assert not any("cumulative" in notice for notice in notices)
    assert any("for ratings 'cumulative'" in notice for notice in hm.model("r ~ x", FRAME).notices)


def test_categories_that_do_not_occur_are_told():
    extended = NAMED.assign(r=NAMED["r"].cat.add_categories(["best"]))
    model = hm.model("r ~ x", extended, "cumulative")
    assert any("'best' does not occur: the prior alone tells of it" in notice for notice in model.notices)
    gap = hm.model("r ~ x", FRAME.assign(r=FRAME["r"].replace(4, 9)), "cumulative")
    assert any("1 < 2 < 3 < 9; numbers between these that do not occur are no categories" in n for n in gap.notices)


def test_thresholds_that_data_cannot_tell_apart_are_named():
    middle = hm.model("r ~ x", NAMED[NAMED["r"] != "mid"], "cumulative")
    assert any("the prior alone tells of it, and of Intercept[2]" in notice for notice in middle.notices)
    top = hm.model("r ~ x", NAMED.assign(r=NAMED["r"].cat.add_categories(["best", "beyond"])), "cumulative")
    assert any("tells of them, and of Intercept[4], Intercept[5]" in notice for notice in top.notices)
    left_out = hm.model(
        "r ~ x", NAMED.assign(r=pd.Categorical(NAMED["r"].astype(str), [*"xy", *CATEGORIES])), "categorical"
    )
    assert any("'x', 'y' do not occur, and are left out" in notice for notice in left_out.notices)


@pytest.mark.parametrize(
    ("formula", "rows", "family", "message"),
    [
        ("r ~ x", NAMED["r"] == "low", "cumulative", "'r' is 'low' in every row"),
        ("r | cens(x) ~ f", NAMED["r"] != "low", "cumulative", "holds categories, and censored or truncated responses"),
        ("r | trunc(lb = 1) ~ f", NAMED["r"] != "low", "categorical", "holds categories, and censored or truncated"),
    ],
)
def test_what_is_said_of_levels_names_them(formula, rows, family, message):
    with pytest.raises(DataError, match=message):
        hm.model(formula, NAMED[rows], family)


def test_the_formula_and_the_names_stay():
    spec = spec_of("r ~ x + (1 | f)", NAMED, "cumulative")
    assert str(spec.formula) == "r ~ x + (1 | f)"
    assert [variable.name for variable in spec.variables()] == ["Intercept", "x", "1|f_sigma", "1|f"]
    assert spec.variable("Intercept").labels == (("1", "2", "3"),)


def test_priors_of_thresholds_are_of_chances_or_of_each():
    assert spec_of("r ~ x", FRAME, "cumulative").priors["Intercept"][0].describe() == "Dirichlet(1)"
    each = spec_of("r ~ x", FRAME, "cumulative", {"Intercept": "StudentT(3, 0, 2.5)", "Intercept[2]": "Normal(0, 1)"})
    assert [own.describe() for own in each.priors["Intercept"]] == [
        "StudentT(3, 0, 2.5)", "Normal(0, 1)", "StudentT(3, 0, 2.5)",
    ]  # fmt: skip
    with pytest.raises(PriorError, match="no parameter 'Intercept"):
        spec_of("r ~ x", FRAME, "cumulative", {"Intercept[9]": "Normal(0, 1)"})
    with pytest.raises(PriorError, match=r"Dirichlet\(a\) is a prior of shares"):
        spec_of("r ~ x", FRAME, "cumulative", {"x": "Dirichlet(1)"})
    with pytest.raises(PriorError, match="needs a location"):
        spec_of("r ~ x", FRAME, "cumulative", {"Intercept": "HalfNormal(1)"})


@pytest.mark.parametrize("family", ["cumulative", "sratio(cloglog)", "cratio(probit)", "acat"])
def test_prior_draws_of_chances_are_dirichlet_where_predictors_are_at_their_means(family):
    model = hm.model("r ~ x", FRAME, family)
    prior = model.sample_prior(4000, 1)
    at_mean = pd.DataFrame({"x": [float(FRAME["x"].mean())]})
    for place, level in enumerate((1, 2, 3, 4)):
        draws = prior.predict(at_mean, outcome=level).draws.values.ravel()
        assert stats.kstest(draws, stats.beta(1.0, 3.0).cdf).pvalue > 1e-4, place


def test_a_threshold_has_no_linear_predictor():
    with pytest.raises(ModelError, match="has no parameter"):
        hm.model("r ~ x; sigma ~ x", FRAME, "cumulative")


def test_without_an_intercept_thresholds_stay():
    spec, notices = spec_and_notices("r ~ 0 + f", FRAME, "cumulative")
    assert [len(block.columns) for block in spec.common.blocks] == [3]
    assert any(notice.startswith("0 +: thresholds stay, as in brms") for notice in notices)


def test_unordered_categories_have_a_predictor_each_and_a_reference():
    spec, _ = spec_and_notices("r ~ x", NAMED.assign(r=NAMED["r"].astype(str)), "categorical")
    assert list(spec.predictors) == ["mu", "mulow", "mumid", "mutop"]
    assert not spec.predictors["mu"].common.blocks
    with pytest.raises(DataError, match="parameters of one name"):
        spec_of("r ~ x", FRAME.assign(r=FRAME["r"].map({1: "a", 2: "b!", 3: "b?", 4: "c"})), "categorical")


def test_one_category_can_have_terms_of_its_own():
    frame = NAMED.assign(r=NAMED["r"].astype(str))
    spec = spec_of("r ~ x; mutop ~ f", frame, "categorical")
    names = {name: [block.name for block in own.common.blocks] for name, own in spec.predictors.items()}
    assert names["mulow"] == ["mulow_Intercept", "mulow_x"]
    assert names["mutop"] == ["mutop_Intercept", "mutop_f"]
