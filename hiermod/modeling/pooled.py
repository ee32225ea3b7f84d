"""``pooling="beta"`` and ``"gamma"``: rates of groups as draws from one Beta or Gamma distribution.

The default hyperprior of a Beta(a, b) is that of Gelman et al., Bayesian Data Analysis, section 5.3: uniform on the
mean a/(a + b) and on the spread (a + b)^(-1/2). That of a Gamma is flat in the logarithm of the mean and in the spread
shape^(-1/2), its coefficient of variation. The rates are integrated out, and drawn from their exact conditional.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hiermod.data.cells.statistics import BinomialCells, CountCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import DataError
from hiermod.families.functionals import Functional
from hiermod.families.record import Family
from hiermod.formula.nodes import Formula
from hiermod.modeling.design import GroupDesign, LinearPredictor, offset
from hiermod.modeling.hyperpriors import EXAMPLES, Hyperprior, read_hyperprior
from hiermod.modeling.monotonic import Monotonic
from hiermod.modeling.pools import POOLS, Pool
from hiermod.modeling.prior_choice import Priors
from hiermod.modeling.protocol import Dims, PriorRow, Question, Variable, group_dim
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth
from hiermod.modeling.strata import read_strata, refuse_other_formula, stratum_of_groups

MEAN, SPREAD = "rate_mean", "rate_spread"
MOST_STORED = 2_000  # groups, of more of which rates are drawn when they are needed
BLOCK = 64  # groups whose rates are drawn together
RATES = 7  # the purpose of their random numbers
REFUSED: dict[Question, str] = {
    "prior": "pooling={name!r} has the improper hyperprior that prior_summary() shows. Give a proper one, such as "
    "{example}; or use pooling='normal', whose priors are proper.",
    "effects": "pooling={name!r} has rates of groups, not effects: see fit.rates() and fit.shrinkage().",
    "slopes": "pooling={name!r} has rates of groups and no predictors, so there are no slopes.",
    "rows": "pooling={name!r}: its rates are integrated out, so a row has no density of its own",
    "plan": "plan() needs a proper prior, and pooling={name!r} has an improper one. Give {example}; or use "
    "pooling='normal'.",
    "bambi": "Bambi has no pooling={name!r}. model.pymc() gives the PyMC model.",
    "compiled": "pooling={name!r} is not covered",
}


@dataclass(frozen=True, eq=False)
class PooledSpec:
    """Rates of groups from one distribution, or one in each stratum.

    Parameters
    ----------
    formula : Formula
    family : Family
    cells : Cells
    grouping : Grouping
    strata : Grouping, optional
        The levels within which groups are pooled, each apart.
    hyperprior : Hyperprior
        Of each stratum.
    events, exposure : ndarray, shape (groups,)
        Totals of each group in level order: successes and trials, or events and exposure.
    """

    formula: Formula
    family: Family
    cells: Cells
    grouping: Grouping
    strata: Grouping | None
    hyperprior: Hyperprior
    events: np.ndarray
    exposure: np.ndarray

    @property
    def pool(self) -> Pool:
        """What rates are drawn from."""
        return POOLS[self.hyperprior.pool]

    @property
    def rate_name(self) -> str:
        """The name of the groups' rates in a posterior: ``rate|variant``."""
        return f"rate|{self.grouping.name}"

    @cached_property
    def stratum(self) -> np.ndarray:
        """The stratum of each group."""
        if self.strata is None:
            return np.zeros(self.grouping.size, dtype=np.int64)
        return stratum_of_groups(self.grouping, self.strata)

    @property
    def stratum_names(self) -> list[str]:
        """What the strata are called; one empty name without any."""
        return [""] if self.strata is None else [str(label) for label in self.strata.labels()]

    @property
    def smooths(self) -> tuple[Smooth, ...]:
        """There are none."""
        return ()

    @property
    def monotonic(self) -> tuple[Monotonic, ...]:
        """There are none."""
        return ()

    @property
    def shrunk(self) -> tuple[Shrunk, ...]:
        """There are none."""
        return ()

    @property
    def scalars(self) -> tuple[str, ...]:
        """Those of the family."""
        return self.family.auxiliary

    def variables(self) -> tuple[Variable, ...]:
        """The variables of a posterior, in order; rates of very many groups are not among them."""
        dims: Dims = ((), ()) if self.strata is None else group_dim(self.strata)
        mean, spread = (Variable(name, *dims, "mu", "coefficient") for name in (MEAN, SPREAD))
        if self.grouping.size > MOST_STORED:
            return mean, spread
        rates = Variable(self.rate_name, *group_dim(self.grouping), "mu", "effect")
        return (mean, spread, rates) if self.hyperprior.fixed is None else (rates,)

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
        """What the user said of the hyperparameters."""
        return {key: (prior,) for key, prior in self.hyperprior.priors.items()}

    @property
    def improper(self) -> bool:
        """Whether the hyperprior is no distribution."""
        return not self.hyperprior.proper

    def prior_rows(self) -> list[PriorRow]:
        """The hyperprior, and the distribution of rates."""
        rates = "Beta(a, b)" if self.hyperprior.pool == "beta" else "Gamma(shape, shape / mean)"
        if self.hyperprior.fixed is not None:
            return [(self.rate_name, "Uniform(0, 1)", "response", "each group's rate, whatever the others are")]
        what = "each group's rate" if self.strata is None else f"each group's rate, apart by {self.strata.name}"
        return [*self.hyperprior.rows((MEAN, SPREAD)), (self.rate_name, rates, "response", what)]

    def refuses(self, question: Question) -> str | None:
        """All that needs a linear predictor or a density of one row, and a proper prior where there is none."""
        if question == "observed" or (question in ("prior", "plan") and self.hyperprior.proper):
            return None
        return REFUSED[question].format(name=self.hyperprior.pooling, example=EXAMPLES[self.hyperprior.pool])

    def with_cells(self, cells: Cells) -> PooledSpec:
        """The model of other cells with the same groups.

        Raises
        ------
        DataError
            If the posterior is improper.
        """
        events, exposure = _totals(self.formula, self.grouping, cells)
        return _proper(replace(self, cells=cells, events=events, exposure=exposure))

    @property
    def needed(self) -> int:
        """How many groups must bound the spread in a stratum, so that its posterior is proper.

        Where the spread is flat, one group must bound it from above: of a Beta one with both successes and failures, of
        a Gamma one with events, and two where the mean is flat too. A flat mean of a Gamma by itself needs one event.
        """
        hyperprior = self.hyperprior
        if hyperprior.proper:
            return 0
        return 1 + (not hyperprior.proper_rate and not hyperprior.proper_spread)

    def why_improper(self) -> str | None:
        """Why the posterior of some stratum is none, and what would make it one; None where all are proper."""
        informative = self.pool.informative(self.events, self.exposure)
        counts = np.bincount(self.stratum, informative, len(self.stratum_names))
        for place in np.flatnonzero(counts < self.needed)[:1]:
            return _why_improper(self, int(place))
        return None

    @property
    def fewest(self) -> int:
        """How many groups bound the spread, in the stratum that has the fewest."""
        informative = self.pool.informative(self.events, self.exposure)
        return int(np.bincount(self.stratum, informative, len(self.stratum_names)).min())

    def shape_exposure(self, frame: Any) -> None:
        """Nothing multiplies a shape."""

    def has_posterior_mean(self, outcome: Functional, readings: Collection[str]) -> bool:
        """Groups' own rates have one; other readings give the rates' mean, or have it as theirs."""
        return MEAN not in self.finite_moments or set(readings) <= {"observed"}

    @property
    def finite_moments(self) -> Mapping[str, float]:
        """The mean of rates, or their spread, where the posterior has a heavy tail.

        At a large spread u the density falls as u^-2g, g being the groups that bound it, less one where a Gamma's mean
        is flat. A Gamma's mean m falls as its prior times m^(-groups/u²), in the end as its prior.
        """
        hyperprior, groups, found = self.hyperprior, self.fewest, []
        power = np.inf if hyperprior.pool == "beta" else 0.0
        if hyperprior.rate is not None:
            power = hyperprior.rate.distribution.moments(*hyperprior.rate.arguments)
        if not (power > 1.0 or (power == 1.0 and groups > 1 - hyperprior.proper_spread)):
            found.append(MEAN)
        if not hyperprior.proper_spread and groups < 2 + (not hyperprior.proper_rate):
            found.append(SPREAD)
        return dict.fromkeys(found, 1.0)

    def refuse_exact(self) -> None:
        """Rates have densities without predictors: there is nothing to refuse."""

    def derived(self, sampled: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """The groups' rates, where they are stored."""
        if self.grouping.size > MOST_STORED or MEAN not in sampled:
            return {}
        levels = np.arange(self.grouping.size)
        return {self.rate_name: self.drawn_rates(sampled[MEAN], sampled[SPREAD], levels, seed)}

    def drawn_rates(self, mean: np.ndarray, spread: np.ndarray, levels: np.ndarray, seed: int) -> np.ndarray:
        """Draws of the rates of some groups from their exact conditional; always the same for a seed and a group.

        Parameters
        ----------
        mean, spread : ndarray, shape (..., strata) or (...)
        levels : ndarray
            The groups.
        seed : int

        Returns
        -------
        ndarray, shape (..., levels)
        """
        size = spread**-2.0
        if self.strata is None:
            mean, size = mean[..., None], size[..., None]
        drawn, every = np.empty((*mean.shape[:-1], len(levels))), np.array_equal(levels, np.arange(self.grouping.size))
        block_of = levels // BLOCK
        for block in np.unique(block_of):
            groups = slice(block * BLOCK, (block + 1) * BLOCK)
            own = self.stratum[groups] if self.strata is not None else slice(None)
            rng = np.random.default_rng([seed, RATES, int(block)])
            rates = self.pool.draw(rng, mean[..., own], size[..., own], self.events[groups], self.exposure[groups])
            if every:
                drawn[..., groups] = rates
            else:
                inside = block_of == block
                drawn[..., inside] = rates[..., levels[inside] - groups.start]
        return drawn


def build_pooled(pooling: str, formula: Formula, family: Family, cells: Cells, priors: Mapping[str, Any]) -> PooledSpec:
    """Check that the model is one of groups' rates and that its posterior is proper.

    Raises
    ------
    FormulaError
        If the formula is not ``response ~ (1 | g)`` or ``response ~ segment + (1 | segment:g)``.
    DataError
        If the family has no such rates, or too few groups bound the spread: the posterior is improper.
    PriorError
        If a prior has no place.
    """
    hyperprior = read_hyperprior(pooling, priors)
    refuse_other_formula(hyperprior, formula)
    _refuse_other_family(hyperprior, family, cells)
    grouping = cells.groupings[formula.groups[0].group]
    strata = read_strata(hyperprior, formula, grouping, cells)
    totals = _totals(formula, grouping, cells)
    return _proper(PooledSpec(formula, family, cells, grouping, strata, hyperprior, *totals))


def _refuse_other_family(hyperprior: Hyperprior, family: Family, cells: Cells) -> None:
    if hyperprior.pool == "beta" and not (isinstance(cells.response, BinomialCells) and family.link.name == "logit"):
        raise DataError(
            f"pooling={hyperprior.pooling!r} is for 0/1 responses or successes out of trials (s/n) on a logit, not for "
            f"family {family}. Counts of events are pooled by pooling='gamma', other responses by pooling='normal'."
        )
    if hyperprior.pool == "gamma" and not (isinstance(cells.response, CountCells) and family.link.name == "log"):
        raise DataError(
            f"pooling='gamma' is for counts of events, family='poisson', not for family {family}. Successes out of "
            "trials are pooled by pooling='beta', other responses by pooling='normal'."
        )


def _totals(formula: Formula, grouping: Grouping, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Events and exposure of each group."""
    codes, response = cells.codes[grouping.name], cells.response
    if isinstance(response, BinomialCells):
        events, exposure = response.successes, response.trials
    else:
        assert isinstance(response, CountCells)
        events, exposure = response.total, response.exposure * np.exp(offset(formula.offsets, cells.frame))
    return np.bincount(codes, events, grouping.size), np.bincount(codes, exposure, grouping.size)


def _proper(spec: PooledSpec) -> PooledSpec:
    """Refuse an improper posterior, stratum by stratum."""
    if reason := spec.why_improper():
        raise DataError(reason)
    return spec


def _why_improper(spec: PooledSpec, place: int) -> str:
    needed = spec.needed
    where = f" in {spec.stratum_names[place]!r}" if spec.strata is not None else ""
    groups = np.flatnonzero((spec.stratum == place) & ~spec.pool.informative(spec.events, spec.exposure))
    largest = groups[int(np.argmax(spec.exposure[groups]))] if len(groups) else None
    example = ""
    if largest is not None and spec.exposure[largest] > 0:
        label = str(spec.grouping.labels()[largest])
        example = f" ({label!r} has {spec.events[largest]:g} of {spec.exposure[largest]:g})"
    if spec.pool.name == "beta":
        found = f"every group's total is all successes or all failures{example}, so nothing bounds the spread"
        wanted = "A group with both is needed"
    else:
        found = f"fewer than {needed} group{'s have' if needed > 1 else ' has'} events{example}"
        wanted = "Another group with events is needed"
    return (
        f"pooling={spec.pool.name!r} has no proper posterior here: its hyperprior is improper, and{where} {found}. "
        f"{wanted}, or a proper hyperprior: {EXAMPLES[spec.hyperprior.pool]}; or pooling='normal', whose priors are "
        "proper."
    )
