"""Censoring codes and bounds: codings that mean the same, and what is refused with the row and the remedy."""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import spec_of

import hiermod as hm
from hiermod.errors import DataError, FormulaError, ModelError
from hiermod.families.names import LINKS
from hiermod.families.registry import FAMILIES
from hiermod.formula.parser import parse
from hiermod.formula.translate import translate

FRAME = pd.DataFrame({
    "time": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "end": [np.nan, np.nan, 4.0, np.nan, 7.0, np.nan],
    "event": [1, 0, 1, 1, 0, 1], "status": [2, 1, 2, 2, 1, 2], "censored": [0, 1, 0, 0, 1, 0],
    "word": ["none", "Right", "none", "none", "right", "none"], "true": [False, True, False, False, True, False],
    "kind": [0, 1, 2, -1, 2, 0], "x": [0, 1, 0, 1, 0, 1], "entry": [0.0, 0.5, 1.0, 0.0, 2.0, 1.0],
})  # fmt: skip


def cells(text, frame=FRAME, family="weibull"):
    return spec_of(text, frame, family).cells.response


@pytest.mark.parametrize(
    "text",
    ["Surv(time, event) ~ x", "Surv(time, status) ~ x", "Surv(time, status == 2) ~ x", "time | cens(censored) ~ x",
     "time | cens(1 - event) ~ x", "time | cens(word) ~ x", "time | cens(true) ~ x", "time | cens(event == 0) ~ x"],
)  # fmt: skip
def test_codings_that_mean_the_same(text):
    found = pd.DataFrame({"code": (response := cells(text)).code, "value": response.value}).sort_values("value")
    assert found["code"].tolist() == [0, 1, 0, 0, 1, 0]


def test_intervals_end_where_a_column_says_and_may_lack_it_elsewhere():
    response = cells("time | cens(kind, y2 = end) ~ x")
    found = dict(zip(response.value, zip(response.code, response.upper, strict=True), strict=True))
    assert len(response.value) == 6
    assert found[3.0] == (2, 4.0)
    assert found[5.0] == (2, 7.0)
    assert found[4.0] == (-1, 4.0)


def test_beyond_a_value_but_recorded_up_to_a_bound_is_an_interval():
    response = cells("Surv(time, event) | trunc(lb = entry, ub = 9) ~ x")
    found = dict(zip(response.value, zip(response.code, response.upper, response.least, strict=True), strict=True))
    assert found[2.0] == (2, 9.0, 0.5)
    assert found[6.0] == (0, 6.0, 1.0)


def test_a_notice_counts_events():
    model = hm.model("Surv(time, event) ~ x", FRAME, "weibull")
    assert "4 events, 2 right-censored" in model.notices
    model = hm.model("time | cens(kind, end) ~ x", FRAME, "weibull")
    assert "2 events, 1 right-censored, 1 left-censored, 2 in an interval" in model.notices


def test_times_of_a_log_link_centre_at_the_sum_of_times_by_events():
    spec = spec_of("Surv(time, event) ~ x", FRAME, "weibull")
    assert spec.priors["Intercept"][0].arguments[1] == pytest.approx(np.log(21.0 / 4.5))


@pytest.mark.parametrize(
    ("text", "changes", "match"),
    [
        ("time | cens(kind) ~ x", {}, r"Code 2 is an interval, whose end is missing: time \| cens\(kind, end\)"),
        ("time | cens(status) ~ x", {}, r"Codes 1 and 2 are R's.*Surv\(time, status\)"),
        ("time | cens(kind, end) ~ x", {"end": [0, 0, 2.5, 0, 7, 0]}, r"row 2 goes from time = 3 to end = 2\.5.*Swap"),
        ("time | cens(kind, end) ~ x", {"end": np.nan}, "interval of row 2 has no end.*code 1, right-censored"),
        ("time | cens(x) ~ entry", {"x": [0, 1, 3, 0, 0, 1]}, r"cens\(x\): 3 \(row 2\) is no censoring code"),
        ("time | cens(word) ~ x", {"word": ["none", "rigth", *["none"] * 4]}, "'rigth'.*Did you mean 'right'"),
        ("time | cens(word) ~ x", {"word": ["right", [1, 2], *["none"] * 4]}, r"'word' mixes types.*map\(str"),
        ("Surv(time, word) ~ x", {"word": [[1], [0]] * 3}, r"'word' mixes types.*map\(str"),
        ("time | cens(word) ~ x", {"word": ["none", "1", *["none"] * 4]}, "are mixed, 'none', '1': keep one"),
        (
            "time | cens(word) ~ x",
            {"word": list("010010")},
            r"are text: data\['word'\] = data\['word'\]\.astype\(int\)",
        ),
        ("time | cens(word) ~ x", {"word": ["no", *["yes"] * 5]}, r"'no' .*cens\(word == 'yes'\), true for a right"),
        ("time | cens(word) ~ x", {"word": ["none", *["lost"] * 5]}, r"'lost' .*cens\(word == 'lost'\), true for"),
        ("Surv(time, event) ~ x", {"event": [0, 1, 2, 1, 0, 1]}, "0, 1 and 2 are two codings"),
        ("Surv(time, event) ~ x", {"event": [0, 1, 3, 1, 0, 1]}, "event holds '0', '1', '3'"),
        ("Surv(time, word) ~ x", {}, r"Surv\(time, word == 'none'\), true for an event"),
        ("Surv(time, event) ~ x", {"event": 0}, r"no event.*Surv\(time, 1 - event\)"),
        ("time | cens(x) ~ entry", {"x": 1}, r"no event.*cens\(1 - x\)"),
        ("time | trunc(lb = 2) ~ x", {}, r"time is 1 in row 0, outside of the bounds 2 and inf"),
        ("time | trunc(lb = 5, ub = 2) ~ x", {}, "lb must be below ub; row 0"),
        ("time | cens(kind, word) ~ x", {}, "The end of an interval is a number; the column 'word' holds text"),
    ],
)
def test_what_is_refused(text, changes, match):
    with pytest.raises(DataError, match=match):
        cells(text, FRAME.assign(**changes))


def test_a_factor_of_what_is_not_read_names_its_column():
    with pytest.raises(FormulaError, match=r"'word' mixes types.*data\['word'\] = data\['word'\]\.map\(str"):
        cells("time ~ factor(word)", FRAME.assign(word=[[1], [0]] * 3))


@pytest.mark.parametrize("response", ["time", "event"])
@pytest.mark.parametrize("family", sorted(name for name in LINKS if FAMILIES[name].log_tails is None))
def test_families_without_tails_are_refused_whatever_the_response_is(family, response):
    with pytest.raises(ModelError, match=f"{family} takes no censored"):
        cells(f"{response} | cens(censored) ~ x", family=family)


def test_truth_values_with_bounds_are_no_rates():
    with pytest.raises(ModelError, match=r"bernoulli takes no censored or truncated responses; weibull"):
        cells("true | trunc(lb = 0) ~ x", family=None)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Surv(time) ~ x", "takes two parts"),
        ("Surv(time, end, event) ~ x", r"trunc\(lb = entry\)"),
        ("time | trunc() ~ x", "."),
        ("time | trunc(low = 1) ~ x", "lb = 0, ub = 10"),
        ("time | cens(1) ~ x", "A column that says which rows are censored"),
        ("Surv(time, event) | cens(censored) ~ x", "stands once"),
        ("s/n | cens(c) ~ x", "without trials or rates"),
        ("time ~ cens(x)", r"written time \| cens\(code\)"),
    ],
)
def test_spellings_that_are_refused(text, match):
    with pytest.raises(FormulaError, match=match):
        parse(text)


@pytest.mark.parametrize(
    ("text", "brms"),
    [
        ("Surv(time, event) ~ x", "time | cens(1 - event) ~ x"),
        ("Surv(time, status == 2) ~ x", "time | cens(1 - (status == 2)) ~ x"),
        ("y|cens(c,y2=u)+trunc(lb=0)~x", "y | cens(c, u) + trunc(lb = 0) ~ x"),
        ("y | trunc(0, Inf) + weights(w) ~ x", "y | weights(w) + trunc(lb = 0) ~ x"),
    ],
)
def test_spellings_round_trip_and_translate(text, brms):
    formula = parse(text)
    assert parse(str(formula)) == formula
    assert translate(text, "brms") == brms
    with pytest.raises(FormulaError, match=r"lme4 has no censored|lmer's weights"):
        translate(text, "lme4")


def test_a_log_link_of_censored_numbers_keeps_the_unit_and_needs_a_mean_above_0():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"y": rng.normal(5.0, 1.0, 80), "c": rng.integers(0, 2, 80), "x": rng.normal(size=80)})
    sigmas = []
    for unit in (1.0, 100.0):
        model = hm.model("y | cens(c) ~ x", frame.assign(y=unit * frame["y"]), "gaussian(log)")
        sigmas.append(model._defined.spec.priors["sigma"][0].arguments[0])
    assert sigmas[0] == pytest.approx(100.0 * sigmas[1])
    with pytest.raises(DataError, match=r"log link of the family gaussian.* is of means above 0"):
        hm.model("y | cens(c) ~ x", frame.assign(y=-frame["y"]), "gaussian(log)")
