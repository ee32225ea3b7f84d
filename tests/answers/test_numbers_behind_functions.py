"""Numbers of many values behind functions, over which cells of a gaussian model average: questions know their rows."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.answers.group_effects import TermEffects
from hiermod.errors import AnswerError

RNG = np.random.default_rng(1)
ROWS = pd.DataFrame({"x": RNG.uniform(0.05, 5.0, 300).round(3), "g": np.repeat(list("abcdef"), 50),
                     "arm": RNG.integers(0, 2, 300)}, index=RNG.permutation(300))  # fmt: skip
ROWS["y"] = np.log(ROWS.x) + 0.3 * ROWS.arm + RNG.normal(size=300)
FORMULAS = [
    "y ~ arm + log(x) + (1 | g)", "y ~ arm * poly(x, 2)", "y ~ arm + scale(x) + (1 + log(x) | g)", "y ~ bs(x, df=4)",
    "y ~ arm + I(x^2)",
]  # fmt: skip


@pytest.fixture(scope="module", params=FORMULAS)
def fit(request):
    fit = hm.fit(request.param, ROWS, "gaussian", seed=1, draws=60, chains=2, tune=100, progress=False)
    assert len(fit.model.cells) < 13
    return fit


QUESTIONS = {
    "slopes": lambda fit, **more: fit.slopes("x", **more),
    "rates": lambda fit, **more: fit.rates({"x": [1.0, 2.5]}, **more),
    "a grid": lambda fit, **more: fit.effect({"x": [0.5, 4.0]}, **more),
    "held": lambda fit, **more: fit.slopes("x", at={"x": [1.0, 2.0]}, **more),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_rows_of_the_data_answer(fit, name, tmp_path):
    ask = QUESTIONS[name]
    here, given = ask(fit), ask(fit, data=ROWS)
    np.testing.assert_allclose(here.draws, given.draws, rtol=1e-8, atol=1e-10)
    fit.save(tmp_path / "fit.nc")
    np.testing.assert_array_equal(ask(hm.load(tmp_path / "fit.nc")).draws, here.draws)


def test_a_line_for_each_number_is_refused(fit):
    with pytest.raises(AnswerError, match=r"'x' has 29\d distinct numbers, too many for a line each"):
        fit.slopes("x", by="x")


def test_the_population_is_the_typical_group_where_the_link_is_the_identity(monkeypatch):
    fit = hm.fit("y ~ arm + x + (1 + x | g)", ROWS, "gaussian", seed=1, draws=60, chains=2, tune=100, progress=False)
    monkeypatch.delattr(TermEffects, "covariance")  # what integrating would need for each row
    for ask in (fit.rates, fit.effect):
        population, typical = (ask("arm", groups=groups) for groups in ("population", "typical"))
        np.testing.assert_array_equal(population.draws, typical.draws)
    np.testing.assert_array_equal(
        fit.slopes("x", groups="population").draws, fit.slopes("x", groups="typical").draws
    )  # fmt: skip
