"""`plan`: true values, the search for a size, and closed forms of what is simulated."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, FormulaError, PriorError
from hiermod.interface import planning
from hiermod.interface.planning import Aim, _plan, _search
from hiermod.sampling.truths import true_values

ARMS = pd.DataFrame({"arm": ["A", "B"]})
QUICK = {"simulations": 3, "draws": 150, "seed": 1, "progress": False}
GOAL = Aim("loss", 0.1, 0.8, "arm", (), "observed", "max", 0.95)


def spec_of(formula, frame, **options):
    return hm.model(formula, frame, **options)._defined.spec


@pytest.fixture(scope="module")
def nested():
    return pd.DataFrame([(g, x, 1, 2) for g in "abcdefgh" for x in (0.0, 1.0, 4.0)], columns=["g", "x", "s", "n"])


def test_given_values_are_taken_and_effects_follow_their_normal(nested):
    truth = {"Intercept": -1.5, "x": 0.25, "sd(1|g)": 0.5, "sd(x|g)": 2.0, "cor(Intercept, x|g)": -0.6}
    found = true_values(spec_of("s/n ~ x + (1 + x | g)", nested), truth, 4000, np.random.default_rng(1))
    assert (found.values("Intercept") == -1.5).all()
    assert (found.values("x") == 0.25).all()
    effects = np.stack([found.values("1|g").ravel(), found.values("x|g").ravel()])
    error = 4.0 / np.sqrt(effects.shape[1])
    np.testing.assert_allclose(effects.std(axis=1) / [0.5, 2.0], 1.0, atol=error)
    assert np.corrcoef(effects)[0, 1] == pytest.approx(-0.6, abs=error)


def test_what_is_not_given_comes_from_its_prior(nested):
    spec = spec_of("s/n ~ x + (1 + x | g)", nested, priors={"x": "Normal(1, 0.1)", "sd": "HalfNormal(0.2)"})
    found = true_values(spec, {"Intercept": "Normal(3, 0.5)"}, 4000, np.random.default_rng(1))
    for name, mean, sd in (("x", 1.0, 0.1), ("Intercept", 3.0, 0.5)):
        assert found.values(name).mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(4000))
    halves = found.values("1|g_sigma")
    assert halves.mean() == pytest.approx(0.2 * np.sqrt(2 / np.pi), abs=0.01)
    # LKJ(2) of two columns: the correlation is Beta(2, 2) on (-1, 1), whose variance is 1/5
    assert found.values("1+x|g_cor").var() == pytest.approx(0.2, abs=0.02)


def test_the_prior_of_the_intercept_stands_at_the_means(nested):
    spec = spec_of("s/n ~ x", nested, priors={"Intercept": "Normal(0, 0.1)", "x": "Normal(2, 0.1)"})
    found = true_values(spec, {}, 2000, np.random.default_rng(1))
    centred = found.values("Intercept") + found.values("x") * nested["x"].mean()
    assert centred.mean() == pytest.approx(0.0, abs=0.4 / np.sqrt(2000))


def search(wanted, start, most=10**6):
    """The sizes that are tried where the aim is reached from `wanted` on."""
    rows, tried = [], []
    for size in _search(rows, GOAL, start, most):
        tried.append(size)
        rows.append((size, 0, 0.0 if size >= wanted else 1.0, 0.0))
    return tried, _plan(rows, GOAL, interrupted=False).needed


def test_sizes_are_doubled_or_halved_and_then_narrowed():
    assert search(1000, 100) == ([100, 200, 400, 800, 1600, 1131, 951], 1131)
    assert search(30, 100) == ([100, 50, 25, 35, 30], 30)
    assert search(1, 4) == ([4, 2, 1], 1)
    assert search(10**9, 100, most=500) == ([100, 200, 400], None)


def test_the_size_that_is_needed_stays_good_for_larger_ones():
    values = {10: [0, 0], 20: [0, 1], 40: [0, 0]}
    rows = [(size, number, value, 0.0) for size, own in values.items() for number, value in enumerate(own)]
    found = _plan(rows, GOAL, interrupted=False)
    assert found.needed == 40
    assert list(found.table["reached"]) == [1.0, 0.5, 1.0]
    assert found.table["se"].iloc[1] == pytest.approx(np.sqrt(0.25 / 2))
    assert "With 40 trials in each row" in repr(found)
    assert "with 20 not" in repr(found)


def test_widths_are_those_of_the_normal_limit():
    truth = {"Intercept": 0.0, "arm[B]": 0.0}
    found = hm.plan("y ~ arm", ARMS, "arm", truth=truth, width=0.1, sizes=[1000, 10_000],
                    **{**QUICK, "draws": 500})  # fmt: skip
    normal = [2 * 1.96 * np.sqrt(2 * 0.25 / size) for size in (1000, 10_000)]
    np.testing.assert_allclose(found.table["value"], normal, rtol=0.12)
    assert found.needed == 1000 if normal[0] < 0.1 else found.needed == 10_000


def test_regret_is_the_true_loss_of_the_choice():
    """An arm that is far better is chosen, one that is as good costs nothing."""
    far = hm.plan("s/n ~ arm", ARMS, "arm", truth={"Intercept": 0, "arm[B]": -2}, loss=0.01, sizes=[500], **QUICK)
    assert (far.simulations["regret"] == 0).all()
    wrong = hm.plan("s/n ~ arm", ARMS, "arm", truth={"Intercept": 0, "arm[B]": -2}, loss=0.01, sizes=[500],
                    **QUICK, goal="min")  # fmt: skip
    assert (wrong.simulations["regret"] == 0).all()
    assert far.needed == 500


def test_the_same_seed_gives_the_same_plan_in_any_order():
    truth = {"arm[B]": 0.2, "Intercept": "Normal(-1, 0.3)"}
    one = hm.plan("s/n ~ arm", ARMS, "arm", truth=truth, loss=0.01, sizes=[50, 100], **QUICK)
    other = hm.plan("s/n ~ arm", ARMS, "arm", truth=truth, loss=0.01, sizes=[100], **QUICK)
    pd.testing.assert_frame_equal(one.simulations.query("size == 100").reset_index(drop=True), other.simulations)


def test_a_fit_gives_true_values_and_its_own_design(country_fit):
    found = hm.plan(country_fit, variable="treated", by="country", loss=0.05, sizes=[200], **QUICK)
    assert found.table["simulations"].tolist() == [3]
    assert found.needed == 200


def test_real_responses_are_repeated_rows():
    truth = {"Intercept": 1.0, "arm[B]": 0.0, "sigma": 2.0}
    found = hm.plan("y ~ arm", ARMS, "arm", family="gaussian", truth=truth, width=0.4, sizes=[800],
                    **{**QUICK, "draws": 500})  # fmt: skip
    np.testing.assert_allclose(found.table["value"], 2 * 1.96 * 2.0 * np.sqrt(2 / 800), rtol=0.12)


def test_an_interruption_keeps_what_is_done(monkeypatch):
    done, simulated = [], planning._simulated

    def interrupting(*arguments):
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(1)
        return simulated(*arguments)

    monkeypatch.setattr(planning, "_simulated", interrupting)
    found = hm.plan(
        "s/n ~ arm", ARMS, "arm", truth={"Intercept": 0, "arm[B]": 0.1}, loss=0.01, sizes=[50, 100], **QUICK
    )
    assert found.table["simulations"].tolist() == [3, 1]
    assert "Interrupted" in found.text


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"loss": None}, AnswerError, "Give one aim"),
        ({"width": 0.1}, AnswerError, "Give one aim"),
        ({"loss": -1.0}, AnswerError, "loss=-1.0: a number above 0"),
        ({"assurance": 2}, AnswerError, "assurance=2"),
        ({"sizes": []}, AnswerError, "sizes="),
        ({"simulations": 0}, AnswerError, "simulations=0"),
        ({"simulations": 10**7}, AnswerError, "whole numbers from 1 to 1,000,000"),
        ({"sizes": [10**19]}, AnswerError, r"sizes=\[10{19}\]: whole numbers from 1 to 1,000,000,000,000,000"),
        ({"start": 100, "most": 50}, AnswerError, "start=100 is more than most=50"),
        ({"truth": {"arm[C]": 1}}, PriorError, r"'arm\[C\]', which is no parameter. Did you mean 'arm\[B\]'"),
        ({"truth": {"arm[B]": "big"}}, PriorError, "a prior reads like"),
        ({"truth": {"arm[B]": None}}, PriorError, "a number, or a prior"),
        ({"family": "gaussian", "source": "y ~ arm"}, PriorError, "there are none yet. Give these"),
        ({"data": None}, AnswerError, "needs the design"),
        ({"data": pd.DataFrame({"amr": ["A", "B"]})}, AnswerError, "no column 'arm'. Did you mean 'amr'"),
        ({"variable": "amr"}, AnswerError, "'amr'"),
        ({"source": "s/n"}, FormulaError, "there is no '~'"),
        ({"family": "beta_binomial"}, AnswerError, "simulates the families"),
        ({"source": "log(y) ~ arm", "family": "gaussian"}, AnswerError, "write a column instead of"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {
        "source": "s/n ~ arm",
        "data": ARMS,
        "variable": "arm",
        "loss": 0.01,
        "truth": {"Intercept": 0},
        **QUICK,
    }
    with pytest.raises(error, match=message):
        hm.plan(**{**arguments, **QUICK, **change})
