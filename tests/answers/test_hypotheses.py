"""`hypothesis` against brms's own on the same draws, and by hand."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.errors import AnswerError

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(
        {"y": [0, 1, 1, 0] * 4, "treated": [0, 1] * 8, "other": [0, 0, 1, 1] * 4, "g": list("aabb") * 4}
    )


@pytest.fixture(scope="module")
def of_brms(frame):
    draws = pd.read_csv(REFERENCE / "hypothesis_draws.csv")
    model = hm.model("y ~ treated + other + (1 | g)", frame)
    plain = {name: (("chain", "draw"), draws[name].to_numpy()[None]) for name in ("treated", "other")}
    rest = {
        "Intercept": (("chain", "draw"), np.zeros((1, 60))),
        "1|g_sigma": (("chain", "draw"), draws["sd"].to_numpy()[None]),
        "1|g": (("chain", "draw", "g__factor_dim"), np.zeros((1, 60, 2))),
    }
    return model.with_draws(xr.Dataset({**plain, **rest}))


def test_every_figure_is_that_of_brms(of_brms):
    expected = pd.read_csv(REFERENCE / "hypothesis.csv")
    for row in expected.itertuples(index=False, name=None):
        asked, estimate, error, lower, upper, ratio, probability = row
        left, sign, right = re.split(" ([<>]) ", asked.replace("sd", "sd(1|g)"))
        table = of_brms.hypothesis(f"{left} - ({right}) {sign} 0", prob=0.9).table
        seen = table.iloc[0, 1:7].to_numpy(dtype=float)
        np.testing.assert_allclose(seen, [estimate, error, lower, upper, probability, ratio], rtol=1e-12, atol=1e-14)


def test_by_hand_on_four_draws(frame):
    model = hm.model("y ~ treated + (1 + treated | g)", frame)
    shape = ("chain", "draw")
    fit = model.with_draws(
        xr.Dataset(
            {
                "Intercept": (shape, [[0.0, 1.0, 2.0, 3.0]]),
                "treated": (shape, [[1.0, 1.0, 2.0, 4.0]]),
                "1|g_sigma": (shape, [[1.0, 2.0, 3.0, 4.0]]),
                "treated|g_sigma": (shape, [[2.0, 1.0, 1.0, 1.0]]),
                "1+treated|g_cor": ((*shape, "c"), [[[0.5], [-0.5], [0.1], [0.2]]]),
                "1|g": ((*shape, "g__factor_dim"), np.arange(8.0).reshape(1, 4, 2)),
                "treated|g": ((*shape, "g__factor_dim"), np.zeros((1, 4, 2))),
            }
        )
    )
    asked = {
        "treated > Intercept": 0.5, "treated >= Intercept": 0.75 + 0.25, "Intercept < 2": 0.5, "Intercept <= 2": 0.75,
        "sd(1|g) > sd(treated|g)": 0.75, "sd(Intercept|g) > 1": 0.75, "cor(treated, Intercept|g) < 0": 0.25,
        "cor(Intercept, treated|g) < 0": 0.25, "1|g[b] > 3": 0.5, "treated^2 - 2^-1 > 1": 0.5, "-treated^2 < -1": 0.5,
    }  # fmt: skip
    answer = fit.hypothesis(list(asked))
    np.testing.assert_allclose(answer.table["probability"], list(asked.values()), rtol=1e-12)
    assert list(answer.table["hypothesis"]) == list(asked)
    odds = [p / (1 - p) if p < 1 else np.inf for p in asked.values()]
    np.testing.assert_allclose(answer.table["evidence_ratio"], odds, rtol=1e-12)
    np.testing.assert_allclose(answer.draws.to_numpy()[0, :, 0], [1.0, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(answer.table["difference"].iloc[[0, 2]], [0.5, -0.5])


def test_the_estimate_is_of_what_the_statement_names(of_brms):
    treated = of_brms.posterior["treated"].to_numpy().ravel()
    spread = of_brms.posterior["1|g_sigma"].to_numpy().ravel()
    asked = ["exp(treated) > 1", "1 < exp(treated)", "sd(1|g)**2 / (sd(1|g)^2 + pi^2 / 3) > 0.1", "treated > other"]
    table = of_brms.hypothesis(asked).table
    share = spread**2 / (spread**2 + np.pi**2 / 3)
    expected = [np.exp(treated).mean(), np.exp(treated).mean(), share.mean(), treated.mean()]
    np.testing.assert_allclose(table["estimate"], expected, rtol=1e-12)
    np.testing.assert_allclose(table["difference"].iloc[:3], [expected[0] - 1, 1 - expected[0], expected[2] - 0.1])
    np.testing.assert_allclose(table["lower"].iloc[0], np.quantile(np.exp(treated), 0.025), rtol=1e-12)
    np.testing.assert_allclose(table["probability"].iloc[0], np.mean(treated > 0))


def test_what_has_no_value_is_refused(of_brms):
    with pytest.raises(AnswerError, match=r"'log\(treated\) > 0' has no value in \d+ of 60 draws"):
        of_brms.hypothesis("log(treated) > 0")
    with pytest.raises(AnswerError, match="no hypothesis"):
        of_brms.hypothesis([])
    with pytest.raises(AnswerError, match="prob=2"):
        of_brms.hypothesis("treated > 0", prob=2)


def test_names_of_r(of_brms, frame):
    assert (of_brms.nobs(), of_brms.ngrps()) == (16, {"g": 2})
    assert of_brms.formula == of_brms.model.formula
    assert of_brms.prior_summary().equals(of_brms.model.prior_summary())
    with pytest.raises(AnswerError, match="family bernoulli has no residual standard deviation"):
        of_brms.sigma()


def test_a_picture_of_hypotheses(of_brms):
    ax = of_brms.hypothesis(["treated > 0", "treated > other"]).plot()
    assert "left side of the statement" in ax.get_xlabel()
    plt.close(ax.figure)
