"""``pooling="beta"``: rates of groups as draws from one Beta(a, b), with p(a, b) ∝ (a + b)^(-5/2).

The hyperprior is that of Gelman et al., Bayesian Data Analysis, section 5.3: uniform on the mean a/(a + b) and on the
spread (a + b)^(-1/2). The rates are integrated out, so two parameters are sampled; the rates' conditional is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hiermod.data.cells.statistics import BinomialCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import DataError, FormulaError, PriorError
from hiermod.families.record import Family
from hiermod.formula.nodes import INTERCEPT, Formula
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.prior_choice import Priors
from hiermod.modeling.protocol import PriorRow, Question
from hiermod.modeling.variables import Variable, group_dim

MEAN, SPREAD = "rate_mean", "rate_spread"
REFUSED: dict[Question, str] = {
    "prior": "pooling='beta' has the improper hyperprior p(a, b) ∝ (a + b)^(-5/2), which is no distribution. Use "
    "pooling='normal', whose priors are proper.",
    "effects": "pooling='beta' has rates of groups, not effects: see fit.rates() and fit.shrinkage().",
    "slopes": "pooling='beta' has rates of groups and no predictors, so there are no slopes.",
    "rows": "pooling='beta': its rates are integrated out, so a row has no density of its own",
    "plan": "plan() is for pooling='normal'; the other kind takes no true values apart from its rates.",
    "bambi": "Bambi has no pooling='beta'. model.pymc() gives the PyMC model.",
    "compiled": "pooling='beta' is not covered",
}


@dataclass(frozen=True, eq=False)
class PooledSpec:
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

    @property
    def predictors(self) -> Mapping[str, LinearPredictor]:
        """There are none."""
        return {}

    @property
    def groups(self) -> tuple[GroupDesign, ...]:
        """There are none: rates of groups are no effects."""
        return ()

    @property
    def priors(self) -> Priors:
        """There are none: the hyperprior is improper."""
        return {}

    @property
    def improper(self) -> bool:
        """The hyperprior is no distribution."""
        return True

    def prior_rows(self) -> list[PriorRow]:
        """The hyperprior, and the distribution of rates."""
        return [
            (MEAN, "Uniform(0, 1)", "response", "a / (a + b)"),
            (SPREAD, "Flat above 0", "response", "(a + b)^(-1/2); together p(a, b) ∝ (a + b)^(-5/2)"),
            (self.rate_name, "Beta(a, b)", "response", "each group's rate"),
        ]

    def refuses(self, question: Question) -> str:
        """All that needs a proper prior, a linear predictor, or a density of one row."""
        return REFUSED[question]

    def with_cells(self, cells: Cells) -> PooledSpec:
        """The model of other cells with the same groups.

        Raises
        ------
        DataError
            If the posterior is improper.
        """
        successes, trials = _totals(self.grouping, cells)
        return _proper(replace(self, cells=cells, successes=successes, trials=trials))

    def refuse_exact(self) -> None:
        """Rates are bounded: there is nothing to refuse."""

    def derived(self, sampled: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The groups' rates, from their exact conditional Beta(a + s, b + n − s)."""
        a, b = beta_shapes(sampled[MEAN][..., None], sampled[SPREAD][..., None])
        return {self.rate_name: rng.beta(a + self.successes, b + self.trials - self.successes)}


def beta_shapes(mean: Any, spread: Any) -> tuple[Any, Any]:
    """The parameters a and b of a Beta distribution of this mean and spread (a + b)^(-1/2)."""
    size = spread**-2
    return mean * size, (1.0 - mean) * size


def build_pooled(formula: Formula, family: Family, cells: Cells, priors: object) -> PooledSpec:
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
    return _proper(PooledSpec(formula, family, cells, grouping, *_totals(grouping, cells)))


def _totals(grouping: Grouping, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(cells.response, BinomialCells)
    codes = grouping.codes(cells.frame)
    successes = np.bincount(codes, cells.response.successes, grouping.size)
    return successes, np.bincount(codes, cells.response.trials, grouping.size)


def _proper(spec: PooledSpec) -> PooledSpec:
    successes, trials = spec.successes, spec.trials
    if not ((successes > 0) & (successes < trials)).any():
        raise DataError(
            "pooling='beta' has no proper posterior here: its hyperprior is improper, and every group's total is all "
            "successes or all failures, so nothing bounds the spread. Use pooling='normal', whose priors are proper."
        )
    return spec
