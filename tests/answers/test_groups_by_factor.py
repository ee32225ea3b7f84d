"""``groups=`` by grouping factor: each term of the model is read as its factor says."""

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
        ({"sites": "typical"}, "'sites' is no grouping factor. Did you mean 'site'"),
        ({"site": "everyone"}, "groups='everyone': 'observed' takes each row's own group"),
        ({1: "typical"}, "1 is no grouping factor"),
    ],
)
def test_what_is_no_factor_or_reading_is_refused(fit, groups, message):
    with pytest.raises(AnswerError, match=message):
        fit.rates(groups=groups)
