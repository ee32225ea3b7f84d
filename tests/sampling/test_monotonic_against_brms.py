"""Posteriors with monotonic effects against brms's: means and sds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import effective_size

REFERENCE = Path(__file__).parents[1] / "reference"
ERRORS, STEPS = 4.0, 3.0
LEVELS = ["none", "some", "much", "all"]
WHOLE = "Normal(0, 1.5)"  # three steps of Normal(0, 0.5) on average
PRIORS = {"Intercept": "Normal(0, 1)", "slope": "Normal(0, 1)"}
CASES = {
    "gaussian": ("y ~ mo(x)*z", {"mo(x)": WHOLE, "mo(x):z": WHOLE, "simo(mo(x))": "Dirichlet(2)",
                                 "sigma": "Exponential(1)"}),
    "bernoulli": ("s ~ mo(level)*f + (1 | g)", {"mo(level)": WHOLE, "mo(level):f": WHOLE, "sd": "HalfNormal(1)"}),
}  # fmt: skip
WRITTEN = [name for name in CASES if (REFERENCE / "monotonic" / f"{name}.csv").exists()]
OF_BRMS = {
    "gaussian": {"b_Intercept": "Intercept", "b_z": "z", "sigma": "sigma", "bsp_mox": "mo(x)", "bsp_mox:z": "mo(x):z",
                 **{f"simo_mox1[{k}]": ("mo(x)_shares", LEVELS[k]) for k in (1, 2, 3)},
                 **{f"simo_mox:z1[{k}]": ("mo(x):z_shares", LEVELS[k]) for k in (1, 2, 3)}},
    "bernoulli": {"b_Intercept": "Intercept", "b_fb": ("f", "b"), "b_fc": ("f", "c"), "sd_g__Intercept": "1|g_sigma",
                  "bsp_molevel": "mo(level)", "bsp_molevel:fb": ("mo(level):f", "b"),
                  "bsp_molevel:fc": ("mo(level):f", "c"),
                  **{f"simo_molevel1[{k}]": ("mo(level)_shares", str(k)) for k in (1, 2, 3)},
                  **{f"simo_molevel:f{f}1[{k}]": ("mo(level):f_shares", f"{k}, {f}") for k in (1, 2, 3) for f in "bc"}},
}  # fmt: skip


def draws_of(fit, name, variable):
    """Draws of a parameter as brms names it, whose monotonic effects are those of a step on average."""
    if variable.startswith("r_g"):
        return fit.posterior["1|g"].sel(g__factor_dim=variable[4]).to_numpy()
    own = OF_BRMS[name][variable]
    whole, label = (own, None) if isinstance(own, str) else own
    draws = fit.posterior[whole]
    draws = draws if label is None else draws.sel({draws.dims[-1]: label})
    return draws.to_numpy() / (STEPS if variable.startswith("bsp_") else 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_posteriors_are_brms_s(name):
    data = pd.read_csv(REFERENCE / "monotonic_data.csv")
    data["x"] = pd.Categorical(data["x"], LEVELS, ordered=True)
    text, priors = CASES[name]
    settings = {"draws": 5000, "chains": 4, "cores": 1, "seed": 3, "progress": False, "intercept_at": "zero"}
    fit = hm.fit(text, data, name, priors={**PRIORS, **priors}, **settings)
    assert fit.check().passed
    table = pd.read_csv(REFERENCE / "monotonic" / f"{name}.csv").set_index("variable")
    assert len(table) >= len(OF_BRMS[name])
    for variable, row in table.iterrows():
        draws = draws_of(fit, name, variable)
        error = np.hypot(row["mcse_mean"], draws.std() / np.sqrt(effective_size(draws)))
        assert abs(draws.mean() - row["mean"]) < ERRORS * error, variable
        squares = (draws - draws.mean()) ** 2
        of_sd = squares.std() / np.sqrt(effective_size(squares)) / (2.0 * draws.std())
        assert abs(draws.std() - row["sd"]) < ERRORS * np.hypot(row["mcse_sd"], of_sd), variable
