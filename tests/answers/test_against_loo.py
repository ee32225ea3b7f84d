"""Leave-one-out against R's loo on brms's fits, within the Monte Carlo errors of both; both refit where k is high."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from tests.truth import REFERENCE

RUNS = 4
R = pd.read_csv(REFERENCE / "loo.csv").set_index(["model", "quantity"])
MODELS = {
    "cbpp": ("incidence/size ~ period + (1 | herd)", None, {}),
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", None, {
        "Intercept": "StudentT(3, 298.5, 140.4)", "Days": "StudentT(3, 0, 48.89)", "sd(1|Subject)": "HalfNormal(56.17)",
        "sd(Days|Subject)": "HalfNormal(19.56)", "cor": "LKJ(2)", "sigma": "Exponential(0.0178)"}),
    "persons": ("yes ~ anger + (1 | id) + (1 | item)", "bernoulli", {
        "Intercept": "StudentT(3, 0, 1)", "anger": "StudentT(3, 0, 0.2)", "sd": "HalfNormal(1)"}),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_elpd_p_and_se_are_those_of_loo(name):
    """Errors are seen between runs, since refits have theirs; a run of R has four times the draws of one here."""
    formula, family, priors = MODELS[name]
    data = pd.read_csv(REFERENCE / "persons.csv") if name == "persons" else hm.example(name)
    model = hm.model(formula, data, family, priors=priors)
    runs = [model.fit(seed=seed, progress=False).loo(max_refits=10, progress=False) for seed in range(1, RUNS + 1)]
    n = R.loc[(name, "elpd"), "rows"]
    for quantity in ("elpd", "p", "se"):
        value, theirs = R.loc[(name, quantity), ["value", "mcse"]]
        value = value * np.sqrt((n - 1) / n) if quantity == "se" else value  # R divides by n - 1
        seen = np.array([getattr(loo, quantity) for loo in runs])
        error = np.hypot(seen.std(ddof=1) / np.sqrt(RUNS), max(theirs, seen.std(ddof=1) / 2))
        assert abs(seen.mean() - value) < 4 * error, quantity
    assert not any(loo.warning for loo in runs)
    assert all(loo.n == n for loo in runs)
