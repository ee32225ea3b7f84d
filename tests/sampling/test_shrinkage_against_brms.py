"""Posteriors under priors of sets of slopes against brms's: means and sds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import effective_size

REFERENCE = Path(__file__).parents[1] / "reference"
ERRORS = 4.0
SLOPES = [f"x{place}" for place in range(1, 9)]
CASES = {
    "horseshoe": ("y", "gaussian", "Horseshoe(df=1, scale_global=0.2, scale_slab=2, df_slab=4)"),
    "horseshoe_bernoulli": ("s", "bernoulli", f"Horseshoe(df=3, scale_global={0.5 / np.sqrt(120.0):.10g})"),
    "r2d2": ("y", "gaussian", "R2D2(mean_R2=0.4, prec_R2=3, cons_D2=0.5)"),
    "r2d2_bernoulli": ("s", "bernoulli", "R2D2(mean_R2=0.5, prec_R2=2, cons_D2=1)"),
}
WRITTEN = [name for name in CASES if (REFERENCE / "shrinkage" / f"{name}.csv").exists()]
OF_BRMS = {"sigma": "sigma", "R2D2_R2": "slope_R2"}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_posteriors_are_brms_s(name):
    data = pd.read_csv(REFERENCE / "shrinkage_data.csv")
    response, family, prior = CASES[name]
    priors = {"Intercept": "Normal(0, 1.5)", "slope": prior}
    priors |= {"sigma": "Exponential(1)"} if family == "gaussian" else {}
    settings = {"draws": 5000, "chains": 4, "cores": 1, "seed": 3, "progress": False}
    fit = hm.fit(f"{response} ~ {' + '.join(SLOPES)}", data, family, priors=priors, **settings)
    assert fit.check().passed
    table = pd.read_csv(REFERENCE / "shrinkage" / f"{name}.csv").set_index("variable")
    assert len(table) >= len(SLOPES) + 1
    for variable, row in table.iterrows():
        draws = fit.posterior[OF_BRMS.get(variable, variable.removeprefix("b_"))].to_numpy()
        error = np.hypot(row["mcse_mean"], draws.std() / np.sqrt(effective_size(draws)))
        assert abs(draws.mean() - row["mean"]) < ERRORS * error, variable
        squares = (draws - draws.mean()) ** 2
        of_sd = squares.std() / np.sqrt(effective_size(squares)) / (2.0 * draws.std())
        assert abs(draws.std() - row["sd"]) < ERRORS * np.hypot(row["mcse_sd"], of_sd), variable
