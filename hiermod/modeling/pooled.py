"""``pooling="beta"``: rates of groups as draws from one Beta(a, b), with p(a, b) ∝ (a + b)^(-5/2).

The hyperprior is that of Gelman et al., Bayesian Data Analysis, section 5.3: uniform on the mean a/(a + b) and on the
spread (a + b)^(-1/2). The rates are integrated out, so two parameters are sampled; the rates' conditional is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hiermod.data.cells.statistics import BinomialCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import DataError, FormulaError, PriorError
from hiermod.families.record import Family
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.variables import Variable, group_dim

if TYPE_CHECKING:
    import pymc as pm

MEAN, SPREAD = "rate_mean", "rate_spread"


@dataclass(frozen=True, eq=False)
class BetaSpec:
    """Rates of groups from one Beta distribution; totals of each group in level order."""

    formula: Formula
    family: Family
    cells: Cells
    grouping: Grouping
    successes: np.ndarray
    trials: np.ndarray

    @property
    def rate_name(self) -> str:
        """The name of the groups' rates in a posterior: ``rate|variant``."""
        return f"rate|{self.grouping.name}"

    def variables(self) -> tuple[Variable, ...]:
        """The variables of a posterior, in order."""
        mean, spread = (Variable(name, (), (), "mu", "coefficient") for name in (MEAN, SPREAD))
        return mean, spread, Variable(self.rate_name, *group_dim(self.grouping), "mu", "effect")


def build_beta_spec(formula: Formula, family: Family, cells: Cells, priors: object) -> BetaSpec:
    """Check that the model is one of groups' rates and that its posterior is proper.

    Raises
    ------
    FormulaError
        If the formula is not ``response ~ (1 | g)``.
    DataError
        If the family has no rates, or no group's total has both successes and failures: the posterior is improper.
    PriorError
        If priors are given: this model's hyperprior is fixed.
    """
    plain = formula.intercept and not formula.common and not formula.offsets and len(formula.groups) == 1
    if not plain or formula.groups[0].terms != (INTERCEPT,):
        message = (
            "pooling='beta' is for the rates of groups alone: s/n ~ (1 | g). Use pooling='normal' for other terms."
        )
        raise FormulaError(message, formula.text, formula.text.find("~") + 1, len(formula.text))
    if not isinstance(cells.response, BinomialCells) or family.link.name != "logit":
        raise DataError(f"pooling='beta' is for 0/1 responses or successes out of trials, not for family {family}.")
    if priors:
        raise PriorError("pooling='beta' has a fixed hyperprior, p(a, b) ∝ (a + b)^(-5/2), and takes no priors.")
    grouping = cells.groupings[formula.groups[0].group]
    return _checked(BetaSpec(formula, family, cells, grouping, *_totals(grouping, cells)))


def with_totals(spec: BetaSpec, cells: Cells) -> BetaSpec:
    """The model of other cells with the same groups.

    Raises
    ------
    DataError
        If the posterior is improper.
    """
    successes, trials = _totals(spec.grouping, cells)
    return _checked(replace(spec, cells=cells, successes=successes, trials=trials))


def _totals(grouping: Grouping, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(cells.response, BinomialCells)
    codes = grouping.codes(cells.frame)
    successes = np.bincount(codes, cells.response.successes, grouping.size)
    return successes, np.bincount(codes, cells.response.trials, grouping.size)


def _checked(spec: BetaSpec) -> BetaSpec:
    successes, trials = spec.successes, spec.trials
    if not ((successes > 0) & (successes < trials)).any():
        raise DataError(
            "pooling='beta' has no proper posterior here: its hyperprior is improper, and every group's total is all "
            "successes or all failures, so nothing bounds the spread. Use pooling='normal', whose priors are proper."
        )
    return spec


def build_beta_model(spec: BetaSpec) -> pm.Model:
    """The two-parameter model: beta-binomial totals of the groups."""
    import pymc as pm

    coords = {"__obs__": [str(label) for label in spec.grouping.labels()]}
    with pm.Model(coords=coords) as model:
        mean = pm.Uniform(MEAN, 0.0, 1.0)
        spread = pm.HalfFlat(SPREAD)
        size = spread**-2
        pm.BetaBinomial(
            spec.formula.response.name,
            n=spec.trials.astype(np.int64),
            alpha=mean * size,
            beta=(1.0 - mean) * size,
            observed=spec.successes.astype(np.int64),
            dims="__obs__",
        )
    return model


def draw_rates(spec: BetaSpec, mean: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the groups' rates from their exact conditional Beta(a + s, b + n − s), shape ``(*mean.shape, groups)``."""
    size = spread[..., None] ** -2
    a, b = mean[..., None] * size, (1.0 - mean[..., None]) * size
    return rng.beta(a + spec.successes, b + spec.trials - spec.successes)
