"""The jobs and the programs: formulas as each program spells them, and the priors that all are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

CHAINS, DRAWS, TUNE = 4, 1000, 1000
FAST = ("hiermod", "lme4")  # these are measured several times
BAMBI = {"bambi": "pymc", "bambi+nutpie": "nutpie"}
IN_R = ("lme4", "rstanarm", "brms")
PEERS = ("hiermod", *BAMBI, *IN_R)
TRIALS = {"hiermod": "{0}/{1}", "brms": "{0} | trials({1})"}
TRIALS |= dict.fromkeys(BAMBI, "p({0}, {1})") | dict.fromkeys(("lme4", "rstanarm"), "cbind({0}, {1} - {0})")
BAMBI_NAMES = {"zero_inflated_negbinomial": "zero_inflated_negativebinomial", "zi": "psi"}  # psi is 1 - zi


@dataclass(frozen=True)
class Part:
    """The linear predictor of another parameter than the mean: its common terms, and the terms of each group."""

    common: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]

    def right(self) -> str:
        """The right-hand side, which all programs spell alike."""
        bars = [f"({' + '.join(terms)} | {group})" for group, terms in self.groups.items()]
        return " + ".join(["1", *self.common, *bars])


@dataclass(frozen=True)
class Job:
    """A model: its response (a count of `trials`, if they are given), common terms, and the terms of each group."""

    title: str
    family: str
    response: str
    common: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    trials: str = ""
    correlated: bool = True
    numbers: tuple[str, ...] = ()  # predictors of many values: priors depend on their spread
    parts: dict[str, Part] = field(default_factory=dict)  # linear predictors of other parameters

    def formula(self, peer: str = "hiermod") -> str:
        """As one program spells it. Bambi knows only independent effects, and writes them with one bar."""
        return "; ".join(self.formulas(peer))

    def formulas(self, peer: str) -> list[str]:
        """A formula for each parameter that has one, that of the mean first."""
        mean = f"{self.outcome(peer)} ~ {' + '.join([*self.common, self.bars(peer)])}"
        names = {name: BAMBI_NAMES.get(name, name) if peer in BAMBI else name for name in self.parts}
        return [mean, *(f"{names[name]} ~ {part.right()}" for name, part in self.parts.items())]

    def has(self, peer: str) -> bool:
        """Whether the program has such a model."""
        return peer not in ("lme4", "rstanarm") or not (self.parts or self.family == "cumulative")

    def outcome(self, peer: str) -> str:
        """The left-hand side."""
        return TRIALS[peer].format(self.response, self.trials) if self.trials else self.response

    def bars(self, peer: str) -> str:
        """The terms that vary between groups."""
        return " + ".join(self._bar(group, peer) for group in self.groups)

    def _bar(self, group: str, peer: str) -> str:
        terms = self.groups[group]
        bar = "|" if len(terms) == 1 or self.correlated or peer in BAMBI else "||"
        return f"({' + '.join(terms)} {bar} {group})"

    def is_equal(self, peer: str) -> bool:
        """Whether the program fits the same model as hiermod."""
        return peer not in BAMBI or not self.correlated or all(len(terms) == 1 for terms in self.groups.values())


JOBS = {
    "country": Job("country experiment, 400 rows", "bernoulli", "success", ("treated",),
                   {"country": ("1", "treated")}, correlated=False),
    "cbpp": Job("cbpp, 56 rows", "binomial", "incidence", ("period",), {"herd": ("1",)}, trials="size"),
    "variants": Job("20 variants", "binomial", "successes", (), {"variant": ("1",)}, trials="trials"),
    "sleepstudy": Job("sleepstudy, 180 rows", "gaussian", "Reaction", ("Days",),
                      {"Subject": ("1", "Days")}, numbers=("Days",)),
    "verbagg": Job("VerbAgg, 7,584 rows, 316 × 24 groups", "bernoulli", "yes", ("Anger", "Gender", "btype", "situ"),
                   {"id": ("1",), "item": ("1",)}, numbers=("Anger",)),
    "insteval": Job("InstEval, 73,421 rows, 2,972 × 1,128 groups", "gaussian", "y", ("service",),
                    {"s": ("1",), "d": ("1",)}),
    "slopes": Job("slopes, 20,000 rows, 1,000 groups × 4 correlated effects", "gaussian", "y", ("x1", "x2", "x3"),
                  {"g": ("1", "x1", "x2", "x3")}, numbers=("x1", "x2", "x3")),
    "inflated": Job("zero-inflated negative binomial, 4,000 rows, 100 groups", "zero_inflated_negbinomial", "y",
                    ("treated",), {"g": ("1",)}, parts={"zi": Part(("treated",), {})}),
    "spread": Job("gaussian with sigma ~ treated + (1 | g), 4,000 rows, 100 groups", "gaussian", "y", ("treated",),
                  {"g": ("1",)}, parts={"sigma": Part(("treated",), {"g": ("1",)})}),
    "ratings": Job("ratings of five categories, 6,000 rows, 300 × 40 groups", "cumulative", "y", ("treated",),
                   {"person": ("1",), "item": ("1",)}),
}  # fmt: skip


def prior_table(job: Job, frame: pd.DataFrame) -> pd.DataFrame:
    """hiermod's default priors in numbers, for the other programs: a row per parameter.

    ``kind`` is Intercept and slope (Student t, 3 degrees), sd (half normal), or sigma (exponential: ``scale`` is its
    mean); ``part`` is the parameter in whose linear predictor it stands, empty for the mean. Scales are in units of the
    response's sd where its family is gaussian, and divided by a predictor's sd.
    """
    y = frame[job.response]
    gaussian = job.family == "gaussian"
    unit, factor = (float(y.std(ddof=0)), 2.5) if gaussian else (1.0, 1.0)
    spread = {name: float(frame[name].std(ddof=0)) for name in job.numbers}
    above = y[y > 0].mean() if job.family == "zero_inflated_negbinomial" else 1.0
    location = y.mean() if gaussian else np.log(above)
    level = 2.5 if job.family == "cumulative" else factor * unit  # of each threshold, which hiermod is told too
    rows: list[dict[str, Any]] = [{"kind": "Intercept", "term": "1", "location": location, "scale": level}]
    rows += [{"kind": "slope", "term": name, "scale": factor * unit / spread.get(name, 1.0)} for name in job.common]
    for group, terms in job.groups.items():
        rows += [{"kind": "sd", "term": name, "group": group, "scale": unit / spread.get(name, 1.0)} for name in terms]
    if gaussian and "sigma" not in job.parts:
        rows.append({"kind": "sigma", "scale": unit})
    for name, part in job.parts.items():
        centre = np.log(unit) if name == "sigma" else 0.0
        rows.append({"kind": "Intercept", "term": "1", "part": name, "location": centre, "scale": 1.0})
        rows += [{"kind": "slope", "term": term, "part": name, "scale": 1.0} for term in part.common]
        rows += [
            {"kind": "sd", "term": term, "part": name, "group": group, "scale": 1.0}
            for group, terms in part.groups.items()
            for term in terms
        ]
    table = pd.DataFrame(rows, columns=["kind", "term", "group", "location", "scale", "part"])
    return table.fillna({"term": "", "group": "", "location": 0.0, "part": ""})
