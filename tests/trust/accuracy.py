"""Posteriors that are hard, public data beside other programs, and changes of unit.

A hard posterior comes out right, where its truth is known by a closed form or a sum over a grid, and always clean or
with a notice that says what is wrong. `--only hard public units` chooses; `--share 0.1` tries one in ten.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz_stats as azs
import numpy as np
import pandas as pd
from scipy import special, stats

import hiermod as hm
from hiermod.errors import HiermodError

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = """
    sampling/test_against_lme4.py sampling/test_against_brms.py sampling/test_priors_against_quadrature.py
    sampling/test_roots.py sampling/test_pooled_figures.py sampling/test_families_recovered.py
    answers/test_quadrature.py
    answers/test_answers_against_r.py answers/test_explained.py answers/test_residuals_of_rows.py exact
    modeling/test_density_against_r.py
"""  # tests that hold stored results of lme4, rstanarm, brms and quadrature against fits of public data
FAR = 4.5  # Monte Carlo standard errors
Truth = Callable[[pd.DataFrame], dict[str, float]]


@dataclass(frozen=True)
class Hard:
    """A posterior that samplers find hard; its truth, posterior means by name, where it is known."""

    name: str
    formula: str
    data: pd.DataFrame
    family: str | None = None
    priors: dict[str, str] | None = None
    truth: dict[str, float] | None = None
    options: tuple[tuple[str, Any], ...] = ()


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def groups(seed: int, count: int, each: int, sd: float, noise: float = 1.0) -> pd.DataFrame:
    """Rows of groups whose means differ by this standard deviation."""
    random, code = rng(seed), np.repeat(np.arange(count), each)
    x = random.normal(size=len(code))
    y = sd * random.normal(size=count)[code] + 0.5 * x + noise * random.normal(size=len(code))
    return pd.DataFrame(
        {"y": y, "x": x, "g": [f"g{each}" for each in code], "h": [f"h{each % 7}" for each in range(len(code))]}
    )


def zeros_and_ones(seed: int, count: int, each: int, sd: float, centre: float = 0.0) -> pd.DataFrame:
    made = groups(seed, count, each, sd, 0.0)
    return made.assign(y=rng(seed + 1).binomial(1, special.expit(centre + made.y)))


def mean_by_grid(successes: int, trials: int, scale: float) -> float:
    """The posterior mean of a logit under StudentT(3, 0, scale), by a sum over a grid."""
    at = np.linspace(-60.0, 60.0, 400_001)
    log = (
        stats.t(3, 0.0, scale).logpdf(at)
        + successes * special.log_expit(at)
        + (trials - successes) * special.log_expit(-at)
    )
    weight = np.exp(log - log.max())
    return float((at * weight).sum() / weight.sum())


def normal_mean(y: np.ndarray, sd: float) -> float:
    """The posterior mean of a mean under Normal(0, 1) with a known standard deviation of a row."""
    return float(y.sum() / sd**2 / (1.0 + len(y) / sd**2))


def hard() -> Iterator[Hard]:
    eight = pd.DataFrame({"y": [28.0, 8, -3, 7, -1, 1, 18, 12], "school": list("ABCDEFGH")})
    yield Hard("eight schools, a row each", "y ~ (1 | school)", eight)
    for sd in (0.0, 1e-3, 10.0, 1e3):
        yield Hard(f"groups that differ by {sd:g}", "y ~ x + (1 | g)", groups(1, 30, 5, sd))
        yield Hard(f"correlated effects, sd {sd:g}", "y ~ x + (1 + x | g)", groups(2, 30, 5, sd))
    for count in (2, 3, 500):
        yield Hard(f"{count} groups of two rows", "y ~ x + (1 | g)", groups(3, count, 2, 1.0))
    yield Hard("two crossed factors of few levels", "y ~ x + (1 | g) + (1 | h)", groups(4, 4, 20, 1.0))
    yield Hard("a group for each row", "y ~ (1 | g)", groups(5, 100, 1, 1.0))
    for centre in (-6.0, 6.0):
        yield Hard(f"rare events, logit {centre:g}", "y ~ x + (1 | g)", zeros_and_ones(6, 40, 25, 1.0, centre))
    for sd in (0.0, 0.3, 8.0):
        yield Hard(f"0/1 responses, groups by {sd:g}", "y ~ x + (1 | g)", zeros_and_ones(7, 60, 3, sd))
        yield Hard(f"0/1 responses, slopes, {sd:g}", "y ~ x + (1 + x | g)", zeros_and_ones(8, 25, 12, sd))
    separated = pd.DataFrame({"x": np.linspace(-1, 1, 60)}).assign(y=lambda frame: (frame.x > 0).astype(int))
    yield Hard("complete separation", "y ~ x", separated)
    for successes, trials in ((0, 5), (0, 1000), (1, 10**6), (5, 5), (3, 10**5)):
        counts = pd.DataFrame({"s": [successes, 0], "n": [trials, 0]}).iloc[:1]
        truth = {"Intercept": mean_by_grid(successes, trials, 1.0)}
        yield Hard(f"{successes} of {trials:,}", "s/n ~ 1", counts, "binomial", None, truth)
    x = rng(9).normal(size=200)
    twins = pd.DataFrame({"x": x, "z": x + 1e-4 * rng(10).normal(size=200), "y": x + rng(11).normal(size=200)})
    yield Hard("predictors that are all but one", "y ~ x + z", twins)
    curve = pd.DataFrame({"x": 1e3 + x, "y": x + rng(12).normal(size=200)})
    yield Hard("a predictor far from zero", "y ~ x + I(x^2)", curve)
    for unit in (1e-8, 1e8):
        made = groups(13, 20, 10, 1.0)
        yield Hard(f"a response in units of {unit:g}", "y ~ x + (1 | g)", made.assign(y=made.y * unit))
    for shift in (1e6, 1e10):
        made = groups(14, 20, 10, 1.0)
        yield Hard(f"a response at {shift:g}", "y ~ x + (1 | g)", made.assign(y=made.y + shift))
    heavy = pd.DataFrame({"y": rng(15).standard_t(1.2, size=300), "x": x[:1].repeat(300) + rng(16).normal(size=300)})
    yield Hard("tails like Cauchy's", "y ~ x", heavy, "student")
    yield Hard("tails like Cauchy's, taken for normal", "y ~ x", heavy)
    big = pd.DataFrame({"c": rng(17).poisson(1e6, 100), "x": rng(18).normal(size=100), "g": list("abcde") * 20})
    yield Hard("counts of a million", "c ~ x + (1 | g)", big, "poisson")
    none = pd.DataFrame({"c": [0] * 99 + [1], "g": list("abcde") * 20})
    yield Hard("one event in a hundred rows", "c ~ (1 | g)", none, "poisson")
    over = pd.DataFrame({"c": rng(19).negative_binomial(0.05, 0.01, 300), "g": list("abcde") * 60})
    yield Hard("counts nearly all zero or huge", "c ~ (1 | g)", over, "negbinomial")
    even = pd.DataFrame({"c": rng(20).poisson(5.0, 300), "g": list("abcde") * 60})
    yield Hard("no overdispersion at all", "c ~ (1 | g)", even, "negbinomial")
    tiny = groups(21, 8, 6, 1.0)
    yield Hard("a prior against the data", "y ~ x", tiny, None, {"x": "Normal(50, 0.1)"})
    yield Hard("a prior all but flat", "y ~ x", tiny, None, {"x": "Normal(0, 1e6)"})
    yield Hard(
        "Cauchy priors of few rows", "y ~ x + (1 | g)", tiny, None, {"x": "Cauchy(0, 10)", "sd": "HalfCauchy(10)"}
    )
    sure = pd.DataFrame({"y": rng(22).normal(3.0, 2.0, 40)})
    known = {"Intercept": "Normal(0, 1)", "sigma": "Uniform(1.9999, 2.0001)"}
    yield Hard("a known variance", "y ~ 1", sure, "gaussian", known, {"Intercept": normal_mean(sure.y.to_numpy(), 2.0)})
    skewed = pd.DataFrame({"y": rng(23).gamma(0.05, 20.0, 300) + 1e-12, "g": list("abcde") * 60})
    yield Hard("shares of a gamma near zero", "y ~ (1 | g)", skewed, "gamma")


def fitted(case: Hard) -> hm.Fit:
    with contextlib.redirect_stderr(io.StringIO()):
        return hm.fit(
            case.formula, case.data, case.family, priors=case.priors, seed=1, progress=False, **dict(case.options)
        )


def said(fit: hm.Fit) -> str:
    """What a fit says of its own trouble."""
    return "; ".join(fit.sampled_posterior.run_notices)


def try_hard(share: float) -> bool:
    """Whether each hard posterior is clean or says so, and right where the truth is known."""
    well = True
    for count, case in enumerate(part_of(hard(), share), 1):
        try:
            fit = fitted(case)
        except HiermodError as error:
            print(f"{count:3} {case.name}: refused: {str(error).splitlines()[0]}", flush=True)
            continue
        checked = fit.check()
        word = "clean" if checked.passed else "says so" if said(fit) or not checked.passed else "SILENT"
        finite = all(np.isfinite(values).all() for values in fit.posterior.data_vars.values())
        errors = [far_off(fit, name, value) for name, value in (case.truth or {}).items()]
        wrong = not finite or word == "SILENT" or any(error > FAR for error in errors)
        well = well and not wrong
        known = f", {max(errors):.1f} standard errors from the truth" if errors else ""
        print(f"{'WRONG ' if wrong else ''}{count:3} {case.name}: {word}{known}", flush=True)
    return well


def far_off(fit: hm.Fit, name: str, value: float) -> float:
    """How many Monte Carlo standard errors a posterior mean is from its truth."""
    draws = fit.posterior[name]
    return abs(float(draws.mean()) - value) / float(azs.mcse(draws, method="mean"))


@dataclass(frozen=True)
class Unit:
    """A model, and a column that is measured in another unit."""

    formula: str
    family: str
    column: str
    unit: float


UNITS = [
    *(Unit(formula, family, response, unit) for formula, family, response in (
        ("y ~ x + (1 + x | g)", "gaussian", "y"), ("y ~ x + (1 | g)", "student", "y"),
        ("t ~ x + (1 | g)", "gamma", "t"), ("t ~ x + (1 | g)", "lognormal", "t"),
    ) for unit in (1e-6, 1e-3, 60.0, 1e6)),
    *(Unit(formula, family, "x", unit) for formula, family in (
        ("y ~ x + (1 | g)", "gaussian"), ("c ~ x + (1 + x | g)", "poisson"),
    ) for unit in (1e-3, 1e3)),
]  # fmt: skip


def try_units(share: float) -> bool:
    """Whether posteriors change with the unit of the response, and of predictors, as the numbers do."""
    made = groups(31, 25, 8, 1.0)
    made = made.assign(t=np.exp(0.3 * made.y), c=rng(32).poisson(np.exp(0.3 * made.y)))
    results, bases = [], {}
    for case in part_of(UNITS, share):
        model = case.formula, case.family
        if model not in bases:
            bases[model] = fitted(Hard("", case.formula, made, case.family)).rates(at={"x": [0.0, 1.0]})
        fit = fitted(Hard("", case.formula, made.assign(**{case.column: made[case.column] * case.unit}), case.family))
        of_x, of_mean = (case.unit, 1.0) if case.column == "x" else (1.0, case.unit)
        other = fit.rates(at={"x": [0.0, of_x]})
        results.append(same(f"{case.family}, {case.column} times {case.unit:g}", bases[model], other, of_mean))
    return all(results)


def part_of(cases: Iterable[Any], share: float) -> list[Any]:
    """As many of the cases, spread over all."""
    every = max(round(1.0 / share), 1)
    return list(cases)[every // 2 :: every]


def same(what: str, one: Any, other: Any, unit: float) -> bool:
    """Whether means and bounds of two answers agree, by the Monte Carlo error of both."""
    worst = 0.0
    for row in range(one.draws.sizes["row"]):
        pair = [one.draws.isel(row=row).drop_vars("row", errors="ignore"), other.draws.isel(row=row) / unit]
        pair = [draws.reset_coords(drop=True) for draws in pair]
        for method in ("mean", "median"):
            errors = [float(azs.mcse(draws, method=method)) for draws in pair]
            middle = [float(getattr(draws, method)()) for draws in pair]
            worst = max(worst, abs(middle[0] - middle[1]) / float(np.hypot(*errors)))
    print(f"{'WRONG ' if worst > FAR else ''}{what}: {worst:.1f} standard errors apart at most", flush=True)
    return worst <= FAR


def try_public(share: float) -> bool:
    """Whether fits of public data agree with stored results of other programs."""
    there = [f"tests/{path}" for path in part_of(REFERENCES.split(), share)]
    run = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", "-p", "no:cacheprovider", *there]
    return subprocess.run(run, cwd=ROOT, check=False).returncode == 0


TRIALS = {"hard": try_hard, "units": try_units, "public": try_public}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(TRIALS), nargs="+", default=list(TRIALS))
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = [TRIALS[name](options.share) for name in options.only]
    sys.exit(int(not all(results)))


if __name__ == "__main__":
    main()
