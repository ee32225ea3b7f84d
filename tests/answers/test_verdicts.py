"""Verdicts, numbers needed to treat and sample ratios, against their definitions."""

from itertools import product

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from answer_tools import drawn
from scipy import stats

import hiermod as hm
from hiermod.errors import AnswerError, DataError

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}
ROWS = pd.DataFrame({"arm": list("ABC") * 2, "k": list("uuuvvv"), "s": [1, 2, 3, 2, 1, 1], "n": 5})
RATES = {  # draws of A, B and C in each cell of k
    "u": np.array([[0.30, 0.34, 0.20], [0.32, 0.40, 0.25], [0.28, 0.35, 0.30]]),
    "v": np.array([[0.50, 0.42, 0.52], [0.45, 0.44, 0.40], [0.48, 0.41, 0.44]]),
}


@pytest.fixture(scope="module")
def fit():
    """Rates that are given, cell by cell."""
    u, v = (np.log(RATES[k] / (1 - RATES[k])) for k in "uv")
    return drawn("s/n ~ arm * k", ROWS, Intercept=u[:, 0], arm=u[:, 1:] - u[:, :1], k=(v - u)[:, :1],
                 **{"arm:k": (v - u)[:, 1:] - (v - u)[:, :1]})  # fmt: skip


def losses(rates, margin, sign):
    value = sign * rates + np.array([margin, 0, 0])
    return (value.max(axis=1, keepdims=True) - value).mean(axis=0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("margin", [0.0, 0.03])
def test_a_verdict_follows_from_expected_losses(fit, sign, margin):
    goal = "max" if sign > 0 else "min"
    found = fit.decide("arm", by="k", loss=0.012, threshold=margin, goal=goal)
    for row in found.table.itertuples():
        rates = RATES[row.k]
        own = losses(rates, margin, sign)
        contender = 1 + int(own[1:].argmin())
        expected = "keep testing" if own.min() > 0.012 else "ship" if own[contender] < own[0] else "stop"
        gain = rates[:, contender] - rates[:, 0]
        assert (row.verdict, row.level) == (expected, "ABC"[contender])
        np.testing.assert_allclose(row.loss_of_shipping, own[contender], **TOLERANCE)
        np.testing.assert_allclose(row.loss_of_stopping, own[0], **TOLERANCE)
        np.testing.assert_allclose(row.estimate, gain.mean(), **TOLERANCE)
        np.testing.assert_allclose(row.lower, np.quantile(gain, 0.025), **TOLERANCE)
        np.testing.assert_allclose(row.prob_exceeds, np.mean(sign * gain > margin), **TOLERANCE)
        assert row.loss_limit == 0.012


def test_a_decision_warns_of_arms_that_have_other_sizes_than_expected(capsys):
    rows = pd.DataFrame({"arm": ["A", "B"], "s": [50, 36], "n": [500, 380]})
    lopsided = drawn("s/n ~ arm", rows, Intercept=np.array([-2.2, -2.1]), arm=np.array([[0.1], [0.2]]))
    chance = stats.binomtest(500, 880, 0.5).pvalue
    capsys.readouterr()
    found = lopsided.decide("arm", loss=0.01)
    assert found.warning.startswith("Sample-ratio mismatch. arm: A 500, B 380 is not what 1:1 gives")
    assert f"p = {chance:.1e}, exact" in found.warning
    assert "If that is by design, say so: expected={'A': …}" in found.warning
    assert found.warning in repr(found)
    assert found.warning.replace("'", "&#x27;") in found._repr_html_()
    assert capsys.readouterr().err == f"hiermod: {found.warning}\n"
    by_design = lopsided.decide("arm", loss=0.01, expected={"A": 5, "B": 4})
    assert by_design.warning == ""
    assert capsys.readouterr().err == ""
    with pytest.raises(AnswerError, match="no share for arm 'B'"):
        lopsided.decide("arm", loss=0.01, expected={"A": 5})


def test_a_decision_on_counts_over_an_exposure_knows_no_units():
    rows = pd.DataFrame({"arm": ["A", "B"] * 2, "c": [3, 4, 2, 3], "e": [100.5, 2.0, 80.0, 3.0]})
    fit = drawn("c ~ arm + offset(log(e))", rows, "poisson", Intercept=np.zeros(2), arm=np.array([[0.1], [0.2]]))
    assert fit.decide("arm", loss=0.01).warning == ""


def test_all_three_verdicts_occur_and_the_rule_is_said(fit):
    assert fit.decide("arm", by="k", loss=0.012).table["verdict"].to_list() == ["ship", "stop"]
    strict = fit.decide("arm", by="k", loss=0.001)
    assert strict.table["verdict"].to_list() == ["ship", "keep testing"]
    assert "keep testing where the lesser of both losses is more than 0.001" in strict.rule
    assert strict.rule in repr(strict)
    assert "&lt;" in type(strict)(strict.table, "a < b")._repr_html_()


def test_the_usual_loss_is_a_hundredth_of_the_control(fit):
    found = fit.decide("arm", by="k", control="B")
    np.testing.assert_allclose(found.table["loss_limit"], [RATES[k][:, 1].mean() / 100 for k in "uv"], **TOLERANCE)
    assert "1% of the mean of arm B" in found.rule
    real = drawn("y ~ t", pd.DataFrame({"y": [1.0, 2.0], "t": [0, 1]}), Intercept=[0.0], t=[1.0], sigma=[1.0])
    with pytest.raises(AnswerError, match=r"loss= is needed: family gaussian has no natural size"):
        real.decide("t")
    assert real.decide("t", loss=0.1).table["verdict"].to_list() == ["ship"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": 0}, "loss=0: a number above 0"),
        ({"loss": "small"}, "loss='small': a number above 0"),
        ({"threshold": -1}, "threshold=-1: the least gain"),
        ({"goal": "most"}, "goal='most'"),
        ({"control": "D"}, "no level 'D' to be the control"),
    ],
)
def test_verdicts_that_cannot_be_given(fit, arguments, message):
    with pytest.raises(AnswerError, match=message):
        fit.decide("arm", **arguments)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_needed_inverts_the_difference(fit, sign):
    table = fit.nnt("arm", by="k", contrast="pairs", goal="max" if sign > 0 else "min", prob=0.5)
    assert set(table["pieces"]) == {1, 2}
    for row in table.itertuples():
        one, other = ("ABC".index(arm) for arm in row.contrast.split(" vs "))
        gain = sign * (RATES[row.k][:, one] - RATES[row.k][:, other])
        low, high = np.quantile(gain, [0.25, 0.75])
        np.testing.assert_allclose(row.estimate, 1 / gain.mean(), **TOLERANCE)
        if low * high > 0:
            np.testing.assert_allclose([row.pieces, row.lower, row.upper], [1, 1 / high, 1 / low], **TOLERANCE)
            assert row.interval == f"{1 / high:.4g} to {1 / low:.4g}"
        else:
            np.testing.assert_allclose([row.pieces, row.lower, row.upper], [2, 1 / low, 1 / high], **TOLERANCE)
            assert row.interval == f"up to {1 / low:.4g}, and from {1 / high:.4g} on"


def test_a_number_needed_at_no_difference_is_infinite():
    rows = pd.DataFrame({"t": [0, 1], "s": [1, 2], "n": 5})
    same = drawn("s/n ~ t", rows, Intercept=[0.0, 0.5], t=[0.0, 0.0]).nnt("t")
    assert same.loc[0, "estimate"] == np.inf
    assert same.loc[0, "pieces"] == 1
    real = drawn("y ~ t", pd.DataFrame({"y": [1.0, 2.0], "t": [0, 1]}), Intercept=[0.0], t=[1.0], sigma=[1.0])
    with pytest.raises(AnswerError, match="is of rates; family gaussian has none"):
        real.nnt("t")


def assigned(**sizes):
    return pd.DataFrame({"arm": [arm for arm, size in sizes.items() for _ in range(size)]})


@pytest.mark.parametrize("ratio", [(1, 1), (2, 1), (1, 4)])
def test_two_arms_are_tested_as_by_the_binomial(ratio):
    found = hm.srm(assigned(a=37, b=21), "arm", list(ratio))
    expected = stats.binomtest(37, 58, ratio[0] / sum(ratio)).pvalue
    np.testing.assert_allclose(found.table["p_value"], expected, rtol=1e-10)
    assert set(found.table["method"]) == {"exact"}
    np.testing.assert_allclose(found.table["expected"], 58 * np.array(ratio) / sum(ratio))


def test_three_arms_are_tested_by_every_table():
    counts, shares = (6, 1, 2), np.array([0.2, 0.3, 0.5])
    chance = {table: stats.multinomial.pmf(table, 9, shares) for table in product(range(10), repeat=3)
              if sum(table) == 9}  # fmt: skip
    expected = sum(own for own in chance.values() if own <= chance[counts] * (1 + 1e-9))
    found = hm.srm(assigned(a=6, b=1, c=2), "arm", {"b": 0.3, "a": 0.2, "c": 0.5})
    np.testing.assert_allclose(found.table["p_value"], expected, rtol=1e-10)


def test_many_units_are_tested_by_chi_square_and_a_mismatch_is_told():
    counts = pd.DataFrame({"arm": ["a", "b"] * 2, "day": [1, 1, 2, 2], "users": [500_000, 503_500, 1_000, 1_020]})
    found = hm.srm(counts, "arm", by="day", weights="users")
    own = found.table.groupby("day").first()
    np.testing.assert_allclose(own.loc[1, "p_value"], stats.chisquare([500_000, 503_500]).pvalue, rtol=1e-10)
    np.testing.assert_allclose(own.loc[2, "p_value"], stats.binomtest(1_000, 2_020).pvalue, rtol=1e-9)
    assert own["mismatch"].to_list() == [True, False]
    assert found.mismatch
    assert "is not what 1:1 gives" in found.sentences[0]
    assert found.sentences[1].startswith("arm for day 2: a 1,000, b 1,020 is what 1:1 may give")
    assert repr(found).endswith(found.sentences[1])


def test_an_arm_without_rows_counts_nothing():
    found = hm.srm(assigned(a=12), "arm", {"a": 1, "b": 1})
    assert found.table["count"].to_list() == [12, 0]
    np.testing.assert_allclose(found.table["p_value"], 2 * 0.5**12, rtol=1e-10)


def test_frames_of_any_kind_are_counted():
    frame = assigned(a=30, b=12)
    expected = hm.srm(frame, "arm").table
    relation = duckdb.connect().from_df(frame)
    for other in (pl.from_pandas(frame), pl.from_pandas(frame).lazy(), relation):
        pd.testing.assert_frame_equal(hm.srm(other, "arm").table, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("arm",), "'arm' has one level only"),
        (("arm", {"b": 1}), "expected= has no share for arm 'a'"),
        (("arm", [1, 1]), "expected= has 2 shares; arm has 1 levels: a"),
        (("arm", {"a": 0, "b": 1}), "expected= says 0 for arm 'a'; a number above 0"),
        ((None,), "names of different columns"),
    ],
)
def test_ratios_that_cannot_be_tested(arguments, message):
    with pytest.raises(AnswerError, match=message):
        hm.srm(assigned(a=3), *arguments)


def test_rows_without_an_arm_are_not_dropped():
    frame = pd.DataFrame({"arm": ["a", "b", None]})
    with pytest.raises(DataError, match="1 rows have missing values in 'arm'"):
        hm.srm(frame, "arm")
    with pytest.raises(DataError, match=r"no column 'arn' in the data. Did you mean 'arm'"):
        hm.srm(frame, "arn")
    with pytest.raises(DataError, match="'w' is negative"):
        hm.srm(pd.DataFrame({"arm": ["a", "b"], "w": [1, -1]}), "arm", weights="w")


PLACEBO = pd.DataFrame({"arm": ["blue", "placebo", "red"] * 2, "k": list("uuuvvv"), "s": [1, 2, 3, 2, 1, 1], "n": 5})


@pytest.fixture(scope="module")
def against_blue():
    """Three arms, the second of which is called placebo, while the first is the reference."""
    return drawn("s/n ~ arm + k", PLACEBO, Intercept=np.zeros(4), arm=np.full((4, 2), 0.1), k=np.full((4, 1), 0.1))


@pytest.mark.parametrize("question", ["effect", "prob_beats", "decide", "nnt", "interaction"])
def test_a_level_that_is_called_a_control_and_is_not_the_reference_is_remarked(against_blue, capsys, question):
    ask = getattr(against_blue, question)
    more = ("k",) if question == "interaction" else ()
    ask("arm", *more)
    found = capsys.readouterr().err
    assert found.count("not with 'placebo': control='placebo' does that") == 1
    ask("arm", *more, control="placebo")
    assert "placebo" not in capsys.readouterr().err


@pytest.mark.parametrize("question", ["pairwise", "best", "rates"])
def test_what_compares_with_no_control_remarks_none(against_blue, capsys, question):
    getattr(against_blue, question)("arm")
    assert "placebo" not in capsys.readouterr().err


def test_a_page_has_the_notices_of_an_answer(against_blue, tmp_path):
    page = hm.report(against_blue.effect("arm"), tmp_path / "page.html").read_text()
    assert "arm: levels are compared with &#39;blue&#39;, the first one, not with &#39;placebo&#39;" in page
