"""``groups=`` by grouping factor: each term of the model is read as its factor says."""

import inspect

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError

FRAME = pd.DataFrame(
    [(site, item, x, site) for site in "abc" for item in "pqrs" for x in (0, 1)], columns=["site", "item", "x", "name"]
).assign(y=lambda rows: (rows.site.map(ord) + 2 * rows.item.map(ord) + rows.x) % 3 + rows.index * 0.01)


@pytest.fixture(scope="module")
def fit():
    return hm.fit("y ~ x + (1 + x | site) + (1 | item)", FRAME, draws=200, tune=200, seed=1, progress=False)


def draws_of(fit, name):
    values = fit.posterior[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


def by_hand(fit, site, item):
    """The linear predictor of each row, draw by draw, on an identity link: shape (draws, rows)."""
    total = draws_of(fit, "Intercept")[:, None] + draws_of(fit, "x")[:, None] * FRAME.x.to_numpy()
    codes = {name: pd.factorize(FRAME[name])[0] for name in ("site", "item")}
    if site:
        total = total + draws_of(fit, "1|site")[:, codes["site"]]
        total = total + draws_of(fit, "x|site")[:, codes["site"]] * FRAME.x.to_numpy()
    return total + draws_of(fit, "1|item")[:, codes["item"]] if item else total


@pytest.mark.parametrize(
    ("groups", "site", "item"),
    [
        ({"site": "observed", "item": "typical"}, True, False),
        ({"item": "typical"}, True, False),
        ({"site": "typical"}, False, True),
        ({"site": "typical", "item": "typical"}, False, False),
        ({"site": "population"}, False, True),  # on an identity link, the mean over the population is the typical one
        ({}, True, True),
    ],
)
def test_each_factor_is_read_by_itself(fit, groups, site, item):
    expected = by_hand(fit, site, item)
    found = fit.predict(FRAME, groups=groups)
    np.testing.assert_allclose(found.draws.to_numpy().reshape(len(expected), -1), expected, atol=1e-10)
    rates = fit.rates(groups=groups)
    np.testing.assert_allclose(rates.draws.to_numpy().ravel(), expected.mean(axis=1), atol=1e-10)


def test_one_word_for_all_is_that_word_for_each(fit):
    for word in ("observed", "typical", "new", "population"):
        one = fit.effect("x", groups=word)
        each = fit.effect("x", groups={"site": word, "item": word})
        np.testing.assert_array_equal(one.draws.to_numpy(), each.draws.to_numpy())


def test_captions_say_it_by_factor(fit):
    answer = fit.effect("x", groups={"site": "new", "item": "typical"})
    assert answer.question.groups == "site new, item typical"
    assert "site new, item typical" in answer.plot().get_title(loc="left")


def test_levels_can_be_compared_while_another_factor_is_not_observed(fit):
    assert len(fit.effect("site", groups={"item": "typical"}).table) == 2
    with pytest.raises(AnswerError, match="groups='typical' leaves out what is special to each site"):
        fit.effect("site", groups={"site": "typical"})


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"sites": "typical"}, r"'sites' is no grouping factor\. Did you mean 'site'"),
        ({"site": "everyone"}, "groups='everyone': 'observed' takes each row's own group"),
        ({1: "typical"}, "1 is no grouping factor"),
    ],
)
def test_what_is_no_factor_or_reading_is_refused(fit, groups, message):
    with pytest.raises(AnswerError, match=message):
        fit.rates(groups=groups)


# Every public question that takes groups=, with what else it needs.
NEEDED = {
    "rates": {}, "effect": {"variable": "arm"}, "prob_beats": {"variable": "arm"}, "pairwise": {"variable": "arm"},
    "best": {"variable": "arm"}, "interaction": {"variable": "arm", "across": "k"}, "slopes": {"variable": "x"},
    "decide": {"variable": "arm", "loss": 0.01}, "nnt": {"variable": "arm"}, "predict": {}, "predict_cells": {},
    "fitted": {}, "residuals": {"type": "pearson"},
}  # fmt: skip
REFITS = {"sensitivity"}  # fits again: looked at below
OF_ZEROS = {"effect_parts"}  # of responses with a part of their own for zeros


def questions_of(kind):
    public = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    return [name for name in public if "groups" in inspect.signature(getattr(kind, name)).parameters]


def test_every_public_question_with_groups_is_walked():
    assert {*questions_of(hm.Fit)} == {*NEEDED, *REFITS, *OF_ZEROS}
    assert {*questions_of(hm.PriorDraws), *questions_of(hm.ImputedFit)} <= {*NEEDED, *OF_ZEROS}


@pytest.fixture(scope="module")
def binomial_fits():
    """A fit, and the same with the effects of sites at zero."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({name: rng.choice(list(levels), 80) for name, levels in (("site", "abc"), ("item", "pqrs"))})
    data = data.assign(arm=rng.choice(["u", "v", "w"], 80), k=rng.choice(["m", "n"], 80), x=rng.integers(0, 4, 80))
    data = data.assign(n=rng.integers(2, 9, 80)).assign(s=lambda frame: rng.binomial(frame["n"], 0.4))
    model = hm.model("s/n ~ arm * k + x + (1 + arm | site) + (1 | item)", data)
    prior = model.sample_prior(120, seed=1)
    zeroed = prior.prior.copy(deep=True)
    for name in ("1|site", "arm|site"):
        zeroed[name][:] = 0.0
    return model.with_draws(prior.prior), model.with_draws(zeroed), prior


def numbers(found):
    """What an answer, a table, a decision or a column says."""
    found = getattr(found, "table", found)
    return pd.DataFrame(found).select_dtypes("number").to_numpy(dtype=float)


@pytest.mark.parametrize("question", NEEDED)
def test_typical_sites_are_sites_without_effects_in_every_question(binomial_fits, question):
    fit, zeroed, prior = binomial_fits
    groups = {"site": "typical", "item": "observed"}
    found = getattr(fit, question)(**NEEDED[question], groups=groups)
    expected = getattr(zeroed, question)(**NEEDED[question])
    np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-9, atol=1e-12)
    assert not np.allclose(numbers(found), numbers(getattr(fit, question)(**NEEDED[question])), equal_nan=True)
    if question in questions_of(hm.PriorDraws):
        of_prior = getattr(prior, question)(**NEEDED[question], groups=groups)
        np.testing.assert_allclose(numbers(of_prior), numbers(found), rtol=1e-9, atol=1e-12)
    if question in questions_of(hm.ImputedFit):
        both = getattr(hm.pool([fit, zeroed]), question)(**NEEDED[question], groups=groups)
        assert numbers(both).shape == numbers(found).shape


@pytest.mark.parametrize("question", [*NEEDED, *REFITS])
def test_a_misspelt_factor_is_refused_with_the_nearest_in_every_question(binomial_fits, question):
    fit, _, prior = binomial_fits
    asked = [fit, *([prior] if question in questions_of(hm.PriorDraws) else [])]
    asked += [hm.pool([fit, fit])] if question in questions_of(hm.ImputedFit) else []
    for one in asked:
        with pytest.raises(AnswerError, match=r"'sites' is no grouping factor\. Did you mean 'site'"):
            getattr(one, question)(**NEEDED.get(question, {"variable": "arm"}), groups={"sites": "typical"})


@pytest.mark.parametrize("picture", ["rates", "effect"])
def test_pictures_take_groups_by_factor(binomial_fits, picture):
    fit, zeroed, prior = binomial_fits
    groups = {"site": "typical"}
    for one in (fit, prior):
        drawn = getattr(one.plot, picture)("arm", groups=groups)
        expected = getattr(zeroed.plot, picture)("arm")
        assert drawn.get_xlim() == pytest.approx(expected.get_xlim())
        with pytest.raises(AnswerError, match=r"'sites' is no grouping factor\. Did you mean 'site'"):
            getattr(one.plot, picture)("arm", groups={"sites": "typical"})


def test_a_plan_reads_groups_by_factor():
    design = pd.DataFrame({"site": list("aabb"), "arm": list("uvuv")})
    asked = {"data": design, "variable": "arm", "loss": 0.01, "sizes": [20], "simulations": 2, "progress": False}
    with pytest.raises(AnswerError, match=r"'sites' is no grouping factor\. Did you mean 'site'"):
        hm.plan("s/n ~ arm + (1 | site)", groups={"sites": "typical"}, **asked)
