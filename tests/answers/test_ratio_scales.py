"""Ratios, lifts and odds ratios where rates round to 0 or 1, where responses are logarithms, and where controls are not
above 0.
"""

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn
from hypothesis import given, settings
from hypothesis import strategies as st

import hiermod as hm
from hiermod.answers.averaging.log_averages import _add
from hiermod.answers.log_means import Logs, population_log_means
from hiermod.errors import AnswerError
from hiermod.families.links import LINKS

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "log_means.csv")
RATIOS = ("ratio", "lift", "odds_ratio")
ARMS = pd.DataFrame({"v": ["a", "b"], "s": [200, 199], "n": [200, 200]})
ROWS = pd.DataFrame({"v": ["a", "b", "a", "b"], "x": [0.0, 0.0, 1.0, 1.0], "s": [1, 2, 3, 4], "n": [5, 6, 7, 8]})


@pytest.mark.parametrize("row", list(REFERENCE.itertuples()), ids=lambda row: f"{row.link} {row.mean} {row.sd}")
def test_logarithms_of_chances_have_their_digits_wherever_the_predictor_is(row):
    mean, variance = np.array([[float(row.mean)]]), np.array([[float(row.sd) ** 2]])
    found = population_log_means(LINKS[row.link], mean, variance).ravel()
    np.testing.assert_allclose(found, [row.log_success, row.log_failure], rtol=3e-11, atol=1e-15)


def of_logit(eta):
    """Both chances, to any number of digits."""
    eta = Decimal(float(eta))
    return 1 / (1 + (-eta).exp()), 1 / (1 + eta.exp())


def of_cloglog(eta):
    failure = (-Decimal(float(eta)).exp()).exp()
    return 1 - failure, failure


def exact(chances, etas, weights, scale):
    """Of one draw: `etas` are those of control rows and of treated rows."""
    with localcontext() as context:
        context.prec = 900
        sides = []
        for side in etas:
            both = [chances(eta) for eta in side]
            sides.append([sum(Decimal(w) * one[k] for w, one in zip(weights, both, strict=True)) for k in (0, 1)])
        (p, q), (p1, q1) = sides
        if scale == "odds_ratio":
            return float(((p1 / q1) / (p / q)).ln())
        return float((p1 / p).ln())


ETAS = np.array([[-800.0, -790.0], [800.0, 790.0], [-30.0, 35.0], [39.0, 41.0], [0.3, 0.5], [36.8, -745.0]])


@pytest.mark.parametrize(("family", "chances"), [("binomial", of_logit), ("binomial(cloglog)", of_cloglog)])
@pytest.mark.parametrize("scale", RATIOS)
def test_ratios_and_odds_are_those_of_averages_with_as_many_digits_as_one_likes(family, chances, scale):
    etas = np.minimum(ETAS, 6.0) if "cloglog" in family else ETAS  # beyond, a failure has no logarithm in doubles
    slope = np.linspace(-3.0, 2.0, len(etas))
    fit = drawn("s/n ~ v + x", ROWS, family, Intercept=etas[:, 0], v=(etas[:, 1] - etas[:, 0])[:, None], x=slope)
    found = fit.effect("v", scale=scale).draws.to_numpy().ravel()
    weights = [11, 15]  # trials at x = 0 and at x = 1
    for place, (control, treated) in enumerate(etas):
        sides = [(eta, eta + slope[place]) for eta in (control, treated)]
        expected = exact(chances, sides, weights, scale)
        if abs(expected) > 700.0 or (scale == "lift" and expected < -30.0):  # no double is so large, or so small
            with np.errstate(over="ignore"):
                end = np.exp(expected) - (scale == "lift")
            np.testing.assert_allclose(found[place], end, rtol=1e-9, atol=1e-300)
        else:
            seen = np.log1p(found[place]) if scale == "lift" else np.log(found[place])
            np.testing.assert_allclose(seen, expected, rtol=1e-9, atol=1e-9)


def test_the_odds_ratio_of_single_rows_is_exp_of_the_difference_on_the_link_scale():
    b = np.array([1.5, -2.0, 0.25, 700.0])
    fit = drawn("s/n ~ v", ARMS, Intercept=np.array([50.0, 800.0, -800.0, 30.0]), v=b[:, None])
    answer = fit.effect("v", scale="odds_ratio")
    np.testing.assert_allclose(answer.draws.to_numpy().ravel(), np.exp(b), rtol=1e-12)
    np.testing.assert_allclose(answer.draws.to_numpy(), np.exp(fit.effect("v", scale="link").draws.to_numpy()))
    assert fit.effect("v").table["prob_beats"][0] == 0.75  # not 0.5 for rates that are equal numbers
    assert fit.prob_beats("v").loc["all", "b"] == 0.75
    assert fit.pairwise("v").loc["b", "a"] == 0.75
    best = fit.best("v")
    assert best["prob_best"].to_list() == [0.25, 0.75]
    assert best["expected_rank"].to_list() == [1.75, 1.25]


def test_units_play_no_part_in_odds():
    fit = drawn("s/n ~ v", ARMS, Intercept=np.array([0.2, 0.4]), v=np.array([[0.5], [1.0]]))
    for scale in RATIOS:
        plain, units = (fit.effect("v", scale=scale, per=per).draws.to_numpy() for per in (1, 1000))
        np.testing.assert_array_equal(plain, units)


def test_a_population_s_odds_are_those_of_its_mean():
    """log E[p] of a logit of -60 with a spread of 9, by the lognormal mean of exp(eta); far from where p rounds."""
    rows = pd.DataFrame({"v": ["a", "b"] * 2, "g": list("uuww"), "s": [0, 1, 2, 3], "n": [9] * 4})
    values = {"Intercept": [-200.0] * 2, "v": [[1.0], [2.0]], "1|g_sigma": [9.0, 5.0], "1|g": np.zeros((2, 2))}
    fit = drawn("s/n ~ v + (1 | g)", rows, **values)
    found = fit.effect("v", scale="odds_ratio", groups="population").draws.to_numpy().ravel()
    np.testing.assert_allclose(found, np.exp([1.0, 2.0]), rtol=1e-9)


@pytest.mark.parametrize(("scale", "expected"), [("ratio", np.exp(3.0)), ("lift", np.expm1(3.0))])
@pytest.mark.parametrize("intercept", [-900.0, 900.0, 0.5])
@pytest.mark.parametrize("family", ["poisson", "gamma", "lognormal"])
def test_ratios_of_means_that_round_to_0_or_overflow(family, intercept, scale, expected):
    rows = pd.DataFrame({"v": ["a", "b"] * 2, "x": [0.0, 0.0, 1.0, 1.0], "y": [1, 2, 3, 4]})
    others = {"gamma": {"alpha": [2.0]}, "lognormal": {"sigma": [0.5]}}.get(family, {})
    fit = drawn("y ~ v + x", rows, family, Intercept=[intercept], v=[[3.0]], x=[0.7], **others)
    answer = fit.effect("v", scale=scale)
    np.testing.assert_allclose(answer.draws.to_numpy().ravel(), expected, rtol=1e-12)
    assert answer.table["prob_beats"][0] == 1.0


def test_interactions_of_ratios_are_finite_where_ratios_are_not():
    rows = pd.DataFrame({"v": ["a", "b"] * 2, "k": list("uuww"), "s": [1, 2, 3, 4], "n": [9] * 4})
    fit = drawn("s/n ~ v * k", rows, Intercept=[-400.0], v=[[800.0]], k=[[0.0]], **{"v:k": [[1.5]]})
    found = fit.interaction("v", "k", scale="odds_ratio").draws.to_numpy().ravel()
    np.testing.assert_allclose(found, np.exp(1.5), rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e3, 1e3), st.floats(0.01, 1.0)), min_size=1, max_size=30))
def test_sums_of_logarithms_add_up_block_by_block(rows):
    rows = sorted(rows, key=lambda row: row[0])
    cell = np.array([row[0] for row in rows])
    logs = np.array([row[1] + np.log(row[2]) for row in rows])[None, :, None]
    total = np.full((1, 5, 1), -np.inf)
    for start in range(0, len(rows), 7):
        _add(total, cell[start : start + 7], logs[:, start : start + 7])
    for place in range(5):
        own = logs[0, cell == place, 0]
        expected = np.logaddexp.reduce(own) if len(own) else -np.inf
        np.testing.assert_allclose(total[0, place, 0], expected, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-700.0, 700.0), min_size=2, max_size=5), st.data())
def test_averages_of_arms_by_logarithms(etas, data):
    weights = np.array(data.draw(st.lists(st.floats(0.01, 1.0), min_size=len(etas), max_size=len(etas))))
    weights /= weights.sum()
    logs = Logs(-np.logaddexp(0.0, -np.array(etas))[None, :, None], -np.logaddexp(0.0, np.array(etas))[None, :, None])
    averaged = logs.averaged(weights[None])
    total = np.logaddexp(averaged.mean, averaged.rest).item()
    assert abs(total) < 1e-12  # both chances add up to 1
    assert min(etas) - 1e-9 <= averaged.order.item() <= max(etas) + 1e-9


@pytest.mark.parametrize(("response", "base", "moved"), [("log(y)", np.e, 0), ("log2(y)", 2, 0), ("log10(y)", 10, 0),
                                                   ("log(y, 3)", 3, 0), ("log1p(y)", np.e, 1), ("I(log(y))", np.e, 0),
                                                   ("log(y + 2)", np.e, 2)])  # fmt: skip
def test_relative_scales_of_a_logarithm_are_of_geometric_means(response, base, moved):
    rows = pd.DataFrame({"v": ["a", "b", "a", "b"], "x": [0.0, 1.0, 1.0, 0.0], "y": [1.0, 2.0, 4.0, 5.0]})
    draws = {"Intercept": [1.0, 2.0], "v": [[0.5], [-0.25]], "x": [0.3, 0.1], "sigma": [1.0, 1.0]}
    fit = drawn(f"{response} ~ v + x", rows, **draws)
    expected = base ** np.array([0.5, -0.25])
    answer = fit.effect("v", scale="ratio")
    np.testing.assert_allclose(answer.draws.to_numpy().ravel(), expected, rtol=1e-12)
    np.testing.assert_allclose(fit.effect("v", scale="lift").draws.to_numpy().ravel(), expected - 1.0, rtol=1e-12)
    assert "geometric mean" in answer.question.measure.name
    assert "ratio of geometric means of y" in str(answer) if not moved else "geometric means of" in str(answer)
    assert fit.effect("v").question.measure.name == f"mean {response}"


def test_the_ratio_of_geometric_means_is_that_of_the_rows():
    """A flat prior's posterior mean of the difference is the data's: its exp is the ratio of their geometric means."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"v": np.repeat(["a", "b"], 400), "y": np.exp(rng.normal(0.0, 0.5, 800))})
    data.loc[400:, "y"] *= 1.3
    fit = hm.fit("log(y) ~ v", data, seed=1, progress=False, cores=1)
    logs = np.log(data["y"]).groupby(data["v"]).mean()
    np.testing.assert_allclose(
        fit.effect("v", scale="ratio").table["estimate"], np.exp(logs["b"] - logs["a"]), rtol=5e-3
    )


@pytest.mark.parametrize(
    ("response", "named"), [("sqrt(y)", r"sqrt\(\)"), ("I(y^2)", "a power"), ("scale(y)", r"scale\(\)")]
)
def test_ratios_of_other_transformations_are_refused(response, named):
    rows = pd.DataFrame({"v": ["a", "b", "a", "b"], "y": [1.0, 2.0, 4.0, 5.5]})
    fit = drawn(f"{response} ~ v", rows, Intercept=[1.0], v=[[0.5]], sigma=[1.0])
    for scale in ("ratio", "lift"):
        with pytest.raises(AnswerError, match=f"means behind {named} is none of y"):
            fit.effect("v", scale=scale)
    assert fit.effect("v").table["estimate"][0] == 0.5


def of_controls(controls, treated):
    """A fit of two arms with these draws of their means."""
    rows = pd.DataFrame({"arm": ["control", "new"] * 3, "y": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]})
    controls, treated = np.array(controls), np.array(treated)
    return drawn("y ~ arm", rows, Intercept=controls, arm=(treated - controls)[:, None], sigma=np.ones(len(controls)))


@pytest.mark.parametrize("scale", ["lift", "ratio"])
def test_a_relative_change_from_a_control_that_is_not_above_0_is_refused(scale):
    with pytest.raises(AnswerError, match=r"mean y of the control \(new vs control\) is 0 or below in all draws"):
        of_controls([-10.0, -11.0], [-5.0, -4.0]).effect("arm", scale=scale)
    controls = np.r_[np.full(98, 2.0), -1.0, 0.0]
    with pytest.raises(AnswerError, match=r"in 2\.00% of the draws.*Say scale='difference'"):
        of_controls(controls, np.full(100, 3.0)).effect("arm", scale=scale)
    with pytest.raises(AnswerError, match="in 50"):
        of_controls([1.0, -1.0], [2.0, 3.0]).effect("arm", scale=scale, contrast={"it": {"new": 2, "control": -2}})


def test_few_draws_below_0_are_told_and_count_as_infinite():
    controls = np.r_[np.linspace(0.5, 2.5, 997), -0.1, 0.0, -0.2]
    treated = np.r_[np.full(997, 3.0), 3.0, -1.0, -0.2]
    answer = of_controls(controls, treated).effect("arm", scale="ratio", prob=0.9)
    np.testing.assert_array_equal(answer.draws.to_numpy().ravel()[-3:], [np.inf, -np.inf, 1.0])
    assert "in 0.30% of the draws" in answer.question.remark
    assert "counts as infinite, on the side of the difference" in str(answer)
    finite = np.sort(3.0 / controls[:997])
    assert finite[40] < answer.table["lower"][0] < finite[60]
    assert np.isfinite(answer.table[["estimate", "lower", "upper"]].to_numpy()).all()
    assert answer._repr_html_()
    assert answer.to_markdown()
    assert answer.to_latex()
    answer.plot()


def test_where_the_control_is_above_0_nothing_is_said():
    answer = of_controls([1.0, 2.0], [3.0, 3.0]).effect("arm", scale="lift")
    assert answer.question.remark == ""
    np.testing.assert_allclose(answer.draws.to_numpy().ravel(), [2.0, 0.5])


def test_all_successes_have_an_odds_ratio():
    fit = hm.fit("s/n ~ v", ARMS.assign(s=200), seed=1, progress=False, cores=1)
    link, odds = (fit.effect("v", scale=scale) for scale in ("link", "odds_ratio"))
    np.testing.assert_allclose(odds.draws.to_numpy(), np.exp(link.draws.to_numpy()), rtol=1e-9)
    assert 1.0 < odds.table["estimate"][0] < 2.0
    assert "b vs a" in str(odds)


def test_means_that_overflow_have_bounds_and_differences_a_named_error():
    rows = pd.DataFrame({"v": ["a", "b"] * 2, "y": [1, 2, 3, 4]})
    intercept = np.r_[np.full(90, 1.0), np.full(10, 800.0)]
    fit = drawn("y ~ v", rows, "poisson", Intercept=intercept, v=np.full((100, 1), 0.5))
    answer = fit.rates("v", prob=0.5)
    np.testing.assert_allclose(answer.table["estimate"], np.exp([1.0, 1.5]))
    assert np.isfinite(answer.table[["lower", "upper"]].to_numpy()).all()
    assert "up to 10.00% of the draws of a row are above 1.8e+308" in str(answer)
    assert answer._repr_html_()
    with pytest.raises(AnswerError, match=r"in 10\.00% of the draws the means of both arms are above .* scale='ratio'"):
        fit.effect("v")
    np.testing.assert_allclose(fit.effect("v", scale="ratio").draws, np.exp(0.5))
    drawn_counts = fit.predict(rows, kind="response").draws.to_numpy()
    assert not np.isnan(drawn_counts).any()
    assert fit.predict(rows).table["estimate"].notna().all()
