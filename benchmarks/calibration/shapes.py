"""The models whose calibration is measured, each with every prior in numbers and a design that never changes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.calibration.categories import ORDERED_PRIORS, UNORDERED_PRIORS, Ordinal, Unordered
from benchmarks.calibration.pooled import Pooled, contrast, new_rate
from benchmarks.calibration.questions import (
    Question,
    effect,
    new_response,
    overall_rate,
    population_rate,
    rates,
)
from benchmarks.calibration.simulate import Bar, Censored, Definition, Likelihood
from benchmarks.calibration.slopes import (
    HORSESHOE,
    MONOTONIC_FORMULA,
    MONOTONIC_PRIORS,
    R2D2,
    SHRUNK_FORMULA,
    Monotonic,
    Shrunk,
    standardised,
)
from benchmarks.calibration.spread import FORMULA, PRIORS, Spread
from hiermod.choices import Pooling


@dataclass(frozen=True, eq=False)
class Shape:
    """A model as hiermod is given it, `formula` and `family`, as simulations have it, and what is asked of its fits."""

    name: str
    formula: str
    family: str
    model: Definition | Pooled | Spread | Ordinal | Unordered | Monotonic | Shrunk
    questions: tuple[Question, ...]
    pooling: Pooling = "normal"


def crossed(**levels: Sequence[object]) -> pd.DataFrame:
    """Every combination of levels, the last column fastest."""
    return pd.DataFrame(list(itertools.product(*levels.values())), columns=list(levels))


def named(prefix: str, count: int) -> list[str]:
    """Names of groups that sort in their order: ``g01``, ``g02``."""
    return [f"{prefix}{number:02d}" for number in range(1, count + 1)]


def bernoulli() -> Shape:
    """0/1 responses with an intercept and an effect that vary together."""
    priors = {
        "Intercept": "Normal(-0.5, 1)", "treated": "Normal(0.3, 0.8)", "sd(1|country)": "HalfNormal(1)",
        "sd(treated|country)": "HalfNormal(0.7)", "cor(country)": "LKJ(2)",
    }  # fmt: skip
    design = crossed(country=named("c", 8), treated=[0, 1], row=range(12)).drop(columns="row")
    bars = (Bar("country", ("1", "treated")),)
    model = Definition(("1", "treated"), bars, Likelihood("bernoulli", "logit"), priors, design)
    formula = "y ~ treated + (1 + treated | country)"
    return Shape("bernoulli", formula, "bernoulli", model, (effect("treated"),))


def binomial() -> Shape:
    """Successes of very different numbers of trials, one cell a group."""
    priors = {"Intercept": "Normal(-1, 1)", "sd(1|variant)": "HalfNormal(1)"}
    design = pd.DataFrame({"variant": named("v", 20), "trials": np.geomspace(4, 400, 20).round().astype(int)})
    likelihood = Likelihood("binomial", "logit", trials="trials")
    model = Definition(("1",), (Bar("variant", ("1",)),), likelihood, priors, design)
    return Shape("binomial", "y/trials ~ (1 | variant)", "binomial", model, (population_rate(),))


def gaussian() -> Shape:
    """The shape of sleepstudy: correlated slopes, of a predictor far from its mean of 2.5, where the prior stands."""
    priors = {
        "Intercept": "Normal(25, 3)", "days": "Normal(1, 0.7)", "sd(1|subject)": "HalfNormal(3)",
        "sd(days|subject)": "HalfNormal(0.8)", "cor(subject)": "LKJ(2)", "sigma": "Gamma(4, 2)",
    }  # fmt: skip
    design = crossed(subject=named("s", 15), days=range(6))
    bars = (Bar("subject", ("1", "days")),)
    model = Definition(("1", "days"), bars, Likelihood("gaussian", "identity"), priors, design)
    formula = "y ~ days + (1 + days | subject)"
    return Shape("gaussian", formula, "gaussian", model, (new_response("days", 8.0),))


def poisson() -> Shape:
    """Counts with exposures and two crossed factors."""
    priors = {
        "Intercept": "Normal(0.7, 0.5)", "treated": "Normal(0, 0.5)", "sd(1|site)": "Exponential(2)",
        "sd(1|batch)": "HalfNormal(0.5)",
    }  # fmt: skip
    design = crossed(site=named("s", 10), batch=named("b", 6))
    place = np.arange(len(design))
    design = design.assign(treated=(place // 6 + place) % 2, exposure=1.0 + place % 7)
    likelihood = Likelihood("poisson", "log", exposure="exposure")
    model = Definition(("1", "treated"), (Bar("site", ("1",)), Bar("batch", ("1",))), likelihood, priors, design)
    formula = "y ~ treated + offset(log(exposure)) + (1 | site) + (1 | batch)"
    return Shape("poisson", formula, "poisson", model, (rates("treated"),))


def negbinomial() -> Shape:
    """Overdispersed counts with a varying intercept."""
    priors = {
        "Intercept": "Normal(1.5, 0.5)", "x": "Normal(0, 0.5)", "sd(1|site)": "HalfNormal(0.5)",
        "alpha": "LogNormal(0.7, 0.5)",
    }  # fmt: skip
    design = crossed(site=named("s", 12), x=np.linspace(-1.0, 1.0, 8))
    model = Definition(("1", "x"), (Bar("site", ("1",)),), Likelihood("negbinomial", "log"), priors, design)
    return Shape("negbinomial", "y ~ x + (1 | site)", "negbinomial", model, (overall_rate(),))


def student() -> Shape:
    """Heavy tails, with an intercept and a slope that vary without correlation."""
    priors = {
        "Intercept": "Normal(0, 2)", "x": "StudentT(5, 0, 1)", "sd(1|g)": "HalfNormal(1)", "sd(x|g)": "HalfNormal(1)",
        "sigma": "Gamma(4, 4)", "nu": "Gamma(4, 0.5)",
    }  # fmt: skip
    design = crossed(g=named("g", 10), x=np.linspace(-1.5, 1.5, 10))
    bars = (Bar("g", ("1", "x"), correlated=False),)
    model = Definition(("1", "x"), bars, Likelihood("student", "identity"), priors, design)
    return Shape("student", "y ~ x + (1 + x || g)", "student", model, (overall_rate(),))


def beta_binomial() -> Shape:
    """Overdispersed successes, by a probit."""
    priors = {
        "Intercept": "Normal(-0.3, 0.5)", "treated": "Normal(0.2, 0.4)", "sd(1|g)": "HalfNormal(0.5)",
        "kappa": "LogNormal(2, 0.5)",
    }  # fmt: skip
    design = crossed(g=named("g", 12), treated=[0, 1], trials=[8, 12, 20])
    likelihood = Likelihood("beta_binomial", "probit", trials="trials")
    model = Definition(("1", "treated"), (Bar("g", ("1",)),), likelihood, priors, design)
    formula = "y/trials ~ treated + (1 | g)"
    return Shape("beta_binomial", formula, "beta_binomial(probit)", model, (effect("treated"),))


def gamma() -> Shape:
    """Positive numbers with a varying intercept."""
    priors = {
        "Intercept": "Normal(1, 0.7)", "treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.5)",
        "alpha": "LogNormal(0.7, 0.5)",
    }  # fmt: skip
    design = crossed(g=named("g", 12), treated=[0, 1], row=range(4)).drop(columns="row")
    model = Definition(("1", "treated"), (Bar("g", ("1",)),), Likelihood("gamma", "log"), priors, design)
    return Shape("gamma", "y ~ treated + (1 | g)", "gamma", model, (rates("treated"),))


def zero_inflated_negbinomial() -> Shape:
    """Overdispersed counts with further zeros, which look much like those of the counts themselves."""
    priors = {
        "Intercept": "Normal(1.3, 0.5)", "treated": "Normal(0, 0.5)", "sd(1|site)": "HalfNormal(0.5)",
        "alpha": "LogNormal(0.7, 0.5)", "zi": "Beta(2, 4)",
    }  # fmt: skip
    design = crossed(site=named("s", 12), treated=[0, 1], row=range(8)).drop(columns="row")
    likelihood = Likelihood("zero_inflated_negbinomial", "log")
    model = Definition(("1", "treated"), (Bar("site", ("1",)),), likelihood, priors, design)
    return Shape(
        "zero_inflated_negbinomial", "y ~ treated + (1 | site)", "zero_inflated_negbinomial", model, (rates("treated"),)
    )


def hurdle_gamma() -> Shape:
    """Positive numbers and zeros."""
    priors = {
        "Intercept": "Normal(1, 0.7)", "treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.5)",
        "alpha": "LogNormal(0.7, 0.5)", "hu": "Beta(2, 4)",
    }  # fmt: skip
    design = crossed(g=named("g", 12), treated=[0, 1], row=range(6)).drop(columns="row")
    model = Definition(("1", "treated"), (Bar("g", ("1",)),), Likelihood("hurdle_gamma", "log"), priors, design)
    return Shape("hurdle_gamma", "y ~ treated + (1 | g)", "hurdle_gamma", model, (rates("treated"),))


def beta() -> Shape:
    """Shares with a varying intercept."""
    priors = {
        "Intercept": "Normal(0.3, 0.7)", "treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.5)",
        "phi": "LogNormal(2, 0.5)",
    }  # fmt: skip
    design = crossed(g=named("g", 12), treated=[0, 1], row=range(4)).drop(columns="row")
    model = Definition(("1", "treated"), (Bar("g", ("1",)),), Likelihood("beta", "logit"), priors, design)
    return Shape("beta", "y ~ treated + (1 | g)", "beta", model, (effect("treated"),))


def known_errors(sigma: bool) -> Shape:
    """Effects of studies with known standard errors, some of several arms; with a residual beside these or without."""
    name = "added_errors" if sigma else "known_errors"
    priors = {"Intercept": "Normal(0, 1)", "treated": "Normal(0, 1)", "sd(1|study)": "HalfNormal(0.7)"}
    priors |= {"sigma": "LogNormal(-1, 0.5)"} if sigma else {}
    design = crossed(study=named("s", 10), treated=[0, 1], row=range(2)).drop(columns="row")
    design = design.assign(error=0.2 + 0.1 * (np.arange(len(design)) * 7 % 10))
    likelihood = Likelihood(name, "identity", trials="error")
    model = Definition(("1", "treated"), (Bar("study", ("1",)),), likelihood, priors, design)
    formula = f"y | se(error{', sigma = TRUE' if sigma else ''}) ~ treated + (1 | study)"
    return Shape(name, formula, "gaussian", model, (effect("treated"),))


def three_effects() -> Shape:
    """A factor of three levels whose effects vary together by one group, crossed with another group."""
    priors = {
        "Intercept": "Normal(0, 2)", "f": "Normal(0, 1)", "sd(1|g)": "HalfNormal(1)", "sd(f|g)": "HalfNormal(0.8)",
        "cor(g)": "LKJ(2)", "sd(1|h)": "HalfNormal(1)", "sigma": "Gamma(4, 4)",
    }  # fmt: skip
    design = crossed(g=named("g", 10), h=named("h", 6), f=["a", "b", "c"])
    bars = (Bar("g", ("1", "f")), Bar("h", ("1",)))
    model = Definition(("1", "f"), bars, Likelihood("gaussian", "identity"), priors, design)
    formula = "y ~ f + (1 + f | g) + (1 | h)"
    return Shape("three_effects", formula, "gaussian", model, (rates("f"),))


def few_groups() -> Shape:
    """Crossed factors of three, five and twenty groups: few ones are sampled jointly with the common coefficients."""
    priors = {
        "Intercept": "Normal(-0.5, 1)", "x": "Normal(0, 0.7)", "sd(1|a)": "HalfNormal(1)", "sd(1|b)": "HalfNormal(0.7)",
        "sd(x|b)": "HalfNormal(0.7)", "cor(b)": "LKJ(2)", "sd(1|c)": "HalfNormal(0.5)",
    }  # fmt: skip
    design = crossed(a=named("a", 3), b=named("b", 5), c=named("c", 20))
    design = design.assign(x=np.linspace(-1.0, 1.0, len(design))[np.arange(len(design)) * 7 % len(design)], trials=4)
    bars = (Bar("a", ("1",)), Bar("b", ("1", "x")), Bar("c", ("1",)))
    model = Definition(("1", "x"), bars, Likelihood("binomial", "logit", trials="trials"), priors, design)
    formula = "y/trials ~ x + (1 | a) + (1 + x | b) + (1 | c)"
    return Shape("few_groups", formula, "binomial", model, (overall_rate(),))


def pooled_beta() -> Shape:
    """Rates from one Beta, of very different numbers of trials, by quadrature."""
    priors = {"rate": "Beta(2, 8)", "size": "LogNormal(3, 1)"}
    design = pd.DataFrame({"g": named("g", 12), "trials": np.geomspace(1, 300, 12).round().astype(int)})
    model = Pooled("beta", "g", "size", priors, design)
    questions = (new_rate(), contrast("g"))
    return Shape("pooled_beta", "y/trials ~ (1 | g)", "binomial", model, questions, "beta")


def pooled_shapes() -> Shape:
    """The same of two groups, with priors of a and b."""
    priors = {"a": "Gamma(2, 0.5)", "b": "Exponential(0.2)"}
    design = pd.DataFrame({"g": named("g", 2), "trials": [6, 40]})
    model = Pooled("beta", "g", "size", priors, design)
    questions = (new_rate(), contrast("g"))
    return Shape("pooled_shapes", "y/trials ~ (1 | g)", "binomial", model, questions, "beta")


def pooled_gamma() -> Shape:
    """Rates of events from one Gamma, of very different exposures."""
    priors = {"rate": "LogNormal(0, 1)", "shape": "LogNormal(1, 1)"}
    design = pd.DataFrame({"g": named("g", 12), "e": np.geomspace(0.2, 60.0, 12)})
    model = Pooled("gamma", "g", "shape", priors, design)
    formula, questions = "y ~ offset(log(e)) + (1 | g)", (new_rate(), contrast("g"))
    return Shape("pooled_gamma", formula, "poisson", model, questions, "gamma")


def spread() -> Shape:
    """A spread that differs between arms and groups, whose effects on it go with those on the mean."""
    design = crossed(g=named("g", 12), treated=[0, 1], row=range(8)).drop(columns="row")
    return Shape("spread", FORMULA, "gaussian", Spread(design, PRIORS), ())


def ordinal(name: str, link: str = "logit") -> Shape:
    """Four ordered categories, few of each in a group."""
    design = crossed(g=named("g", 10), treated=[0, 1], row=range(8)).drop(columns="row")
    model = Ordinal(design, ORDERED_PRIORS, name)
    return Shape(name, "y ~ treated + (1 | g)", f"{name}({link})", model, ())


def censored_weibull() -> Shape:
    """Durations, some of which end after the last look at them."""
    priors = {
        "Intercept": "Normal(2, 0.7)", "treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.5)",
        "shape": "LogNormal(0.3, 0.4)",
    }  # fmt: skip
    design = crossed(g=named("g", 12), treated=[0, 1], last=[4.0, 9.0, 20.0, 60.0])
    model = Censored(
        ("1", "treated"), (Bar("g", ("1",)),), Likelihood("censored_weibull", "log", trials="last"), priors, design
    )
    return Shape("censored_weibull", "Surv(y, seen) ~ treated + (1 | g)", "weibull", model, ())


def categorical() -> Shape:
    """Three categories without an order, whose effects of groups go together."""
    design = crossed(g=named("g", 10), treated=[0, 1], row=range(10)).drop(columns="row")
    return Shape("categorical", "y ~ treated + (1 | p | g)", "categorical", Unordered(design, UNORDERED_PRIORS), ())


def monotonic() -> Shape:
    """Steps between ordered levels, other ones among the treated."""
    design = crossed(g=named("g", 10), treated=[0, 1], x=range(4), row=range(2)).drop(columns="row")
    return Shape("monotonic", MONOTONIC_FORMULA, "bernoulli", Monotonic(design, MONOTONIC_PRIORS), ())


def shrunk(name: str, own: dict[str, float]) -> Shape:
    """Six slopes under one prior, numbers and 0/1 columns, in forty rows."""
    return Shape(name, SHRUNK_FORMULA, "gaussian", Shrunk(standardised(40), own), ())


MANY = [f"g{number:04d}" for number in range(1, 1001)]  # groups, whose effects are integrated out


def patterns() -> Shape:
    """0/1 responses of very many groups, which have few patterns of data."""
    priors = {"Intercept": "Normal(-0.5, 1)", "treated": "Normal(0.3, 0.8)", "sd(1|g)": "HalfNormal(1)"}
    design = crossed(g=MANY, treated=[0, 1], row=range(2)).drop(columns="row")
    bars = (Bar("g", ("1",)),)
    model = Definition(("1", "treated"), bars, Likelihood("bernoulli", "logit"), priors, design)
    return Shape("patterns", "y ~ treated + (1 | g)", "bernoulli", model, (effect("treated"),))


def many_slopes() -> Shape:
    """Real responses of very many groups with two effects each."""
    priors = {
        "Intercept": "Normal(25, 3)", "days": "Normal(1, 0.7)", "sd(1|g)": "Gamma(6, 3)",
        "sd(days|g)": "Gamma(6, 8)", "cor(g)": "LKJ(2)", "sigma": "Gamma(4, 2)",
    }  # fmt: skip
    design = crossed(g=MANY, days=range(4))
    bars = (Bar("g", ("1", "days")),)
    model = Definition(("1", "days"), bars, Likelihood("gaussian", "identity"), priors, design)
    return Shape("many_slopes", "y ~ days + (1 + days | g)", "gaussian", model, (rates("days"),))


def many_exposures() -> Shape:
    """Counts of very many groups, each with exposures of its own, so that no two have the same data."""
    priors = {"Intercept": "Normal(0.3, 0.5)", "treated": "Normal(0, 0.5)", "sd(1|g)": "HalfNormal(0.7)"}
    design = crossed(g=MANY, treated=[0, 1])
    design = design.assign(exposure=np.round(np.exp(np.linspace(-1.0, 1.0, len(design))), 4))
    likelihood = Likelihood("poisson", "log", exposure="exposure")
    model = Definition(("1", "treated"), (Bar("g", ("1",)),), likelihood, priors, design)
    formula = "y ~ treated + offset(log(exposure)) + (1 | g)"
    return Shape("many_exposures", formula, "poisson", model, (rates("treated"),))


SHAPES = {
    shape.name: shape
    for shape in (
        bernoulli(), binomial(), gaussian(), poisson(), negbinomial(), student(), beta_binomial(), gamma(),
        three_effects(), few_groups(), pooled_beta(), pooled_shapes(), pooled_gamma(), zero_inflated_negbinomial(),
        hurdle_gamma(), beta(), known_errors(False), known_errors(True),
        spread(), ordinal("cumulative"), ordinal("sratio"), ordinal("cratio", "cloglog"), ordinal("acat"),
        categorical(), censored_weibull(), monotonic(), shrunk("horseshoe", HORSESHOE), shrunk("r2d2", R2D2),
        patterns(), many_slopes(), many_exposures(),
    )
}  # fmt: skip
