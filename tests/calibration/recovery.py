"""Data sets simulated from stated priors, fitted, and how often intervals hold what made the data.

Where parameters are drawn from the priors of the model, an interval of 90 % holds the truth in 90 % of data sets,
whatever the family, and standardised errors have the mean 0. To add a family, write a `Case` in
`test_recovery_of_families`, or among its kin.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import hiermod as hm
from benchmarks.calibration.shapes import Shape

DATA_SETS = 200
LEVELS = (0.5, 0.9)
IMPROBABLE = 1e-5  # chance of a count of intervals, below which it is no chance
SETTINGS = {"draws": 1000, "chains": 2, "cores": 1, "progress": False}


@dataclass(frozen=True)
class Unknown:
    """A parameter: its prior for hiermod and for SciPy, and the key of priors where that is not its name."""

    prior: str
    distribution: Any
    key: str = ""


@dataclass(frozen=True)
class Case:
    """A model and how its data are made.

    Parameters
    ----------
    formula, family : str
        As `hiermod.fit` takes them.
    unknowns : mapping of str to Unknown
        By variable of the posterior; all of the model but the effects of groups.
    respond : callable
        ``(rng, frame, values)``: the columns of the response, by a dict of the drawn unknowns and of ``effects``, the
        standard normals of the groups.
    frame : pandas.DataFrame
        What does not change: `x`, of mean 0, and `g`.
    """

    formula: str
    family: str
    unknowns: Mapping[str, Unknown]
    respond: Callable[[np.random.Generator, pd.DataFrame, Mapping[str, Any]], Mapping[str, np.ndarray]]
    frame: pd.DataFrame = field(default_factory=lambda: design())


def design(groups: int = 8, each: int = 12) -> pd.DataFrame:
    """Rows of groups, with a predictor of mean 0 that varies within each."""
    x = np.tile(np.linspace(-1.0, 1.0, each), groups)
    return pd.DataFrame({"x": x, "g": np.repeat([f"g{place}" for place in range(groups)], each)})


GROUPED = {
    "x": Unknown("Normal(0, 0.7)", stats.norm(0.0, 0.7)),
    "1|g_sigma": Unknown("HalfNormal(0.5)", stats.halfnorm(scale=0.5), "sd"),
}
PHI = Unknown("Gamma(6, 0.6)", stats.gamma(6, scale=1 / 0.6))
ALPHA = Unknown("Gamma(4, 2)", stats.gamma(4, scale=0.5))
SIGMA = Unknown("Gamma(4, 8)", stats.gamma(4, scale=1 / 8))


def grouped(intercept: float, scale: float, **own: Unknown) -> dict[str, Unknown]:
    """Unknowns of ``y ~ x + (1 | g)``, and those of the family."""
    return {"Intercept": Unknown(f"Normal({intercept}, {scale})", stats.norm(intercept, scale)), **GROUPED, **own}


def predictor(frame: pd.DataFrame, values: Mapping[str, Any]) -> np.ndarray:
    """``Intercept + x + (1 | g)``, where the model has these."""
    codes = pd.factorize(frame["g"])[0]
    spread = values.get("1|g_sigma", 0.0) * values["effects"][codes]
    return np.asarray(values["Intercept"] + values.get("x", 0.0) * frame["x"].to_numpy() + spread)


def errors(case: Case, seed: int, sets: int = DATA_SETS) -> pd.DataFrame:
    """A row per data set and unknown: ``name``, its ``rank`` among draws as a share, and its ``standardised`` error."""
    rng = np.random.default_rng(seed)
    priors = {unknown.key or name: unknown.prior for name, unknown in case.unknowns.items()}
    found = []
    for number in range(sets):
        values = {name: unknown.distribution.rvs(random_state=rng) for name, unknown in case.unknowns.items()}
        values["effects"] = rng.normal(size=case.frame["g"].nunique())
        data = case.frame.assign(**case.respond(rng, case.frame, values))
        fit = hm.fit(case.formula, data, case.family, priors=priors, seed=number + 1, **SETTINGS)
        for name in case.unknowns:
            draws = fit.posterior[name].to_numpy().ravel()
            error = (values[name] - draws.mean()) / draws.std()
            found.append((name, (draws < values[name]).mean(), error))
    return pd.DataFrame(found, columns=["name", "rank", "standardised"])


def assert_calibrated(found: pd.DataFrame) -> None:
    """Intervals hold the truth as often as they say, and errors go neither way."""
    for name, own in found.groupby("name"):
        sets = len(own)
        for level in LEVELS:
            inside = int(((own["rank"] - 0.5).abs() < level / 2.0).sum())
            chance = stats.binomtest(inside, sets, level).pvalue
            assert chance > IMPROBABLE, f"{name}: {inside} of {sets} intervals of {level:.0%} hold the truth"
        off = abs(own["standardised"].mean()) / (own["standardised"].std() / np.sqrt(sets))
        assert off < 4.5, f"{name}: errors of {own['standardised'].mean():.2f} standard deviations"


def assert_intervals_hold(case: Case, seed: int) -> None:
    """Fit the case's data sets, whose runs may say that they are short, and hold its intervals to what made them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_calibrated(errors(case, seed))


def errors_of_shape(shape: Shape, seed: int, sets: int = DATA_SETS) -> pd.DataFrame:
    """The same of a model of `benchmarks.calibration`, by parameter and place; effects of groups are left out."""
    rng, found, done = np.random.default_rng(seed), [], 0
    while done < sets:
        number = int(rng.integers(2**31))
        truth = shape.model.draw_parameters(rng)
        data = shape.model.simulate_response(truth, rng)
        if shape.family == "categorical" and data["y"].nunique() < 3:
            continue  # a category that does not occur is none without an order
        fit = hm.fit(shape.formula, data, shape.family, priors=shape.model.priors, seed=number, **SETTINGS)
        done += 1
        for variable, values in truth.items():
            if variable in {name for bar in shape.model.bars for name in bar.effects}:
                continue
            draws = fit.posterior[variable].to_numpy().reshape(-1, values.size)
            for place, value in enumerate(values.ravel()):
                own = draws[:, place]
                name = f"{variable}[{place}]"
                found.append((name, (own < value).mean(), (value - own.mean()) / own.std()))
    return pd.DataFrame(found, columns=["name", "rank", "standardised"])


def assert_intervals_of_shape_hold(shape: Shape, seed: int) -> None:
    """As `assert_intervals_hold`, of a model of `benchmarks.calibration`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_calibrated(errors_of_shape(shape, seed))
