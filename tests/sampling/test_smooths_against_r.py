"""Curves beside brms's, with equal priors, and mgcv's: data of mgcv's gamSim, by tests/reference/smooths_brms.R."""

from pathlib import Path

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest

import hiermod as hm

HERE = Path(__file__).parents[1] / "reference"
MODELS = {
    "plain": "y ~ s(x1) + s(x2)",
    "ps": "y ~ s(x2, bs='ps')",
    "factor": "y ~ fac + s(x2, by=fac)",
}
WIDE = {"Intercept": "Normal(0, 100)", "slope": "Normal(0, 100)"}  # brms states these of other columns
MOST = 4.0  # Monte Carlo standard errors


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_curves_are_brms_s(name):
    data, curve = (pd.read_csv(HERE / f"smooths_brms_{name}_{of}.csv") for of in ("data", "curve"))
    model = hm.model(MODELS[name], data, "gaussian", priors=WIDE)
    spread = f"HalfStudentT(3, {2.5 * data['y'].std(ddof=0):.4g})"
    priors = model.prior_summary().set_index("parameter")["prior"]
    assert {prior for key, prior in priors.items() if key.startswith("sds(")} == {spread}
    fit = model.fit(draws=4000, seed=8, progress=False)
    seen = fit.predict(curve).draws.transpose("row", "chain", "draw").to_numpy()
    for own, row in zip(seen, curve.to_dict("records"), strict=True):
        for figure, kind in ((own.mean(), "mean"), (own.std(), "sd")):
            error = np.hypot(row[f"mcse_{kind}"], float(azs.mcse(own, method=kind)))
            assert abs(figure - row[kind]) < MOST * error, (name, row, figure)
        assert abs(own.mean() - row["mgcv"]) < 0.75 * row["mgcv_se"]
        assert 0.8 < own.std() / row["mgcv_se"] < 1.6
