"""`Spec`: everything that defines a hierarchical generalized linear model, before it is built or sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from hiermod.data.cells.statistics import BoundedCells
from hiermod.data.cells.table import Cells
from hiermod.data.columns.bounds import EVENT
from hiermod.errors import DataError
from hiermod.families.functionals import Functional
from hiermod.families.links import LINKS
from hiermod.families.record import THRESHOLDS, Family
from hiermod.formula.nodes import Formula, ParameterFormula
from hiermod.modeling.bounded import refuse_without_mean
from hiermod.modeling.design import (
    CommonDesign,
    GroupDesign,
    LinearPredictor,
    Part,
    build_common,
    build_group,
    build_predictor,
    joined,
    offset,
)
from hiermod.modeling.identifiability import dependence_notices, refuse_exact, residual_notices, unseen_directions
from hiermod.modeling.intercept import at_zero, intercept_notices, stated_columns
from hiermod.modeling.moments import finite_moments, light_coefficients, light_spreads
from hiermod.modeling.prior_choice import Priors, choose_priors
from hiermod.modeling.protocol import PriorRow, Question, Variable, linear_variables, threshold_variables
from hiermod.modeling.separation import Separation, find_separation
from hiermod.modeling.smooths import Smooth, refuse_products, smooths_of
from hiermod.modeling.thresholds import is_of_chances, without_intercept
from hiermod.priors.distributions import Prior

WIDEST_OFFSET = 700.0  # the exponential of more is infinite


STANDS = (
    "0 +: thresholds stay, as in brms, and their prior stands where predictors are 0; priors alone tell them from a "
    "factor's full set of levels"
)


@dataclass(frozen=True, eq=False)
class Spec:
    """A hierarchical generalized linear model on cells.

    Parameters
    ----------
    formula : Formula
    family : Family
    cells : Cells
    predictors : mapping of str to LinearPredictor
        The linear predictors by the family's parameters: that of the mean, ``mu``.
    groups : tuple of GroupDesign
        The group terms; each of their effects names the parameter in whose predictor it stands.
    priors : mapping of str to tuple of Prior
        By variable of the posterior, a prior for each entry; correlations have one, for their matrix.
    prior_alone : bool
        Whether draws are to be of the prior, of which data say nothing.
    """

    formula: Formula
    family: Family
    cells: Cells
    predictors: Mapping[str, LinearPredictor]
    groups: tuple[GroupDesign, ...]
    priors: Priors
    prior_alone: bool = False

    @property
    def common(self) -> CommonDesign:
        """The common terms of the mean."""
        return self.predictors["mu"].common

    @cached_property
    def coefficients(self) -> CommonDesign:
        """The common terms of all linear predictors, that of the mean first."""
        return joined([predictor.common for predictor in self.predictors.values()])

    @cached_property
    def smooths(self) -> tuple[Smooth, ...]:
        """The penalised smooths among the common terms of all linear predictors."""
        return smooths_of(self.coefficients.blocks)

    @property
    def scalars(self) -> tuple[str, ...]:
        """The parameters of the family that have one value, and no linear predictor."""
        return tuple(own.name for own in self.family.single if own.name not in self.predictors)

    def variables(self) -> tuple[Variable, ...]:
        """The variables of a posterior, in order."""
        return tuple(self._by_name.values())

    def variable(self, name: str) -> Variable:
        """One of them."""
        return self._by_name[name]

    @property
    def improper(self) -> bool:
        """Priors are proper."""
        return False

    def prior_rows(self) -> list[PriorRow]:
        """Coefficients, then the sds and correlations of group terms, then the family's parameters."""
        rows: list[PriorRow] = self._threshold_rows()
        for predictor in self.predictors.values():
            rows += self._coefficient_rows(predictor)
        for term in self.groups:
            entries = [(prior, self.predictors[effect.parameter].scale)
                       for effect in term.effects for prior in self.priors[effect.sd_name]]  # fmt: skip
            rows += [_row(key, *entry) for key, entry in zip(term.sd_keys(), entries, strict=True)]
            if term.correlated:
                (prior,) = self.priors[term.correlation_name]
                rows.append(_row(f"cor({term.grouping.name})", prior, "correlation", ", ".join(term.row_names)))
        for parameter in self.family.single:
            if parameter.name not in self.predictors:
                rows.append(_row(parameter.name, self.priors[parameter.name][0], parameter.scale))
        return rows

    def _threshold_rows(self) -> list[PriorRow]:
        if not self.family.entries:
            return []
        priors, common = self.priors[THRESHOLDS], self.common
        at = ", ".join(f"{name} = {centre:.4g}" for name, centre in common.centres.items())
        at = at if common.level is not None and common.level.any() else ""
        if is_of_chances(priors):
            return [_row(THRESHOLDS, priors[0], "chances of the categories", at)]
        pairs = zip(self.family.entries, priors, strict=True)
        return [_row(entry.name, prior, self.family.link.name, at) for entry, prior in pairs]

    def _coefficient_rows(self, predictor: LinearPredictor) -> list[PriorRow]:
        common, link = predictor.common, predictor.scale
        at = ", ".join(f"{name} = {centre:.4g}" for name, centre in common.centres.items())
        zero = ", ".join(f"{name} = 0" for name in common.centres)
        names = [name for block in common.blocks for name in block.row_names()]
        priors = [prior for block in common.blocks for prior in self.priors[block.name]]
        moved = common.shift.any(axis=1)
        places = [zero if place in common.at_zero else at if moved[place] else "" for place in range(len(names))]
        found = [_row(name, prior, link, place) for name, prior, place in zip(names, priors, places, strict=True)]
        smooths = smooths_of(common.blocks)
        wiggles = {place for smooth in smooths for place in smooth.wiggles}
        spreads = [_row(smooth.key, self.priors[smooth.sd_name][0], link) for smooth in smooths]
        return [*(row for place, row in enumerate(found) if place not in wiggles), *spreads]

    def refuses(self, question: Question) -> str | None:
        """Draws of priors that are somebody else's, and the compiled engine where a record has no part in it."""
        if question == "prior" and not self.priors:
            return (
                "this model's priors are Bambi's, and not known here. Fit the formula with hiermod.fit() for hiermod's "
                "own model, or use bambi's prior_predictive()."
            )
        if question == "observed":
            return self._unobserved()
        scaled = self.shape_exposure(self.cells.frame) is not None
        if len(self.predictors) > 1 and question in ("plan", "bambi"):
            return "its formula has linear predictors of several parameters, which this does not cover"
        if scaled and question in ("plan", "bambi", "compiled"):
            return f"the exposure of {self.formula.left}, which multiplies the shape, is not covered"
        if question == "bambi" and self.family.is_rate and self.family.link.is_bounded:
            return f"Bambi's {self.family.name} has no {self.family.link.name} link. model.pymc() gives the PyMC model."
        if self.family.link.is_bounded and question == "plan":
            return f"plan() draws from the prior, which the {self.family.link.name} link does not bound by itself."
        if self.family.thresholds is not None and question in ("plan", "bambi"):
            return f"thresholds of the family {self.family} are not covered"
        if question == "compiled":
            if self.family.kernel is None:
                return f"the family {self.family} is not covered"
            if self.family.base is not None and self.family.link.name != self.family.links[0]:
                return f"censored and truncated responses under the {self.family.link.name} link are not covered"
            names = (
                prior.name for priors in self.priors.values() for prior in priors if not prior.distribution.standard
            )
            return next((f"the prior {name} is not covered" for name in names), None)
        return None

    def _unobserved(self) -> str | None:
        """Why responses cannot be taken as they were observed."""
        response = self.cells.response
        if self.family.kind == "category":
            return f"the categories of {self.formula.response} have neither an order nor a mean"
        if not isinstance(response, BoundedCells):
            return None
        censored = int(response.count[response.code != EVENT].sum())
        if censored:
            return f"{censored:,} of {int(response.count.sum()):,} responses {self.formula.response} are censored"
        return f"responses {self.formula.response} are recorded between bounds alone"

    def shape_exposure(self, frame: pd.DataFrame) -> np.ndarray | None:
        """What multiplies the family's shape in each row: the exposure of ``y | rate(t)``, as in brms."""
        if self.formula.rate is None or self.family.rated != "shape":
            return None
        return np.asarray(np.exp(frame[self.formula.rate_offset].to_numpy(dtype=float)))

    def with_cells(self, cells: Cells) -> Spec:
        """The same model, its coding and its priors, of other cells."""
        return replace(self, cells=cells)

    def has_posterior_mean(self, outcome: Functional, readings: Collection[str]) -> bool:
        """As the family says of its parameters' priors, and of averages over groups their standard deviations'."""
        if outcome.share or outcome.bounded:
            return True
        averaged = not {"new", "population"}.isdisjoint(readings)
        of_parameter = outcome.name in self.predictors
        if self.prior_alone and (of_parameter or outcome.name == "mean") and not light_coefficients(self, outcome):
            return False
        if averaged and not light_spreads(self, outcome):
            return False
        if of_parameter:
            return outcome.name == "mu" or not self.family.parameter(outcome.name).unbounded
        return self.family.has_posterior_mean(outcome.name, self.priors, averaged)

    @cached_property
    def separation(self) -> Separation | None:
        """How far common terms tell successes from failures; None of other responses."""
        if not self.family.is_rate or self.family.link.is_bounded or not self.common.blocks:
            return None
        design = np.hstack([block.matrix(self.cells.frame) for block in self.common.blocks])
        names = [name for block in self.common.blocks for name in block.row_names()]
        return find_separation(design, self.cells.response, names)

    @cached_property
    def finite_moments(self) -> Mapping[str, float]:
        """As the tails of the priors, and the data, say."""
        return finite_moments(self)

    def refuse_exact(self) -> None:
        """Refuse a response that predictors make up exactly."""
        refuse_exact(self.formula, self.family, self.cells, self.common, self.groups)

    def derived(self, sampled: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """Nothing: all variables are sampled."""
        return {}

    @cached_property
    def unseen_directions(self) -> Mapping[str, np.ndarray]:
        """Combinations of the mean's coefficients about which the data say nothing, shape ``(columns, directions)``."""
        hurdle = self.family.zeros == "hurdle" and bool((self.cells.response.mean == 0.0).any())
        above = self.cells.above_zero() if hurdle else self.cells  # of numbers above 0 alone, zeros say nothing
        zeros = self.family.auxiliary[-1:] if hurdle else ()
        return {
            name: unseen_directions(predictor.common, self.cells if name in zeros else above)
            for name, predictor in self.predictors.items()
        }

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in _variables(self)}


def _row(parameter: str, prior: Prior, scale: str, at: str = "") -> PriorRow:
    """A prior's row; of a variance or a precision, with what that says of the standard deviation."""
    implied = ""
    if prior.power != 1.0:
        low, middle, high = (float(prior.quantile(np.array(p))) for p in (0.025, 0.5, 0.975))
        implied = f"standard deviation {middle:.3g}, 95 % {low:.3g} to {high:.3g}"
    return parameter, prior.describe(), scale, "; ".join(part for part in (at, implied, prior.origin) if part)


def build_spec(
    formula: Formula, family: Family, cells: Cells, priors: Mapping[str, str], intercept_at: str = "mean"
) -> tuple[Spec, list[str]]:
    """Put formula, cells, family and priors together; return the spec and its notices.

    With ``intercept_at="zero"`` a prior of the intercept among `priors` is of where numeric predictors are 0.
    """
    refuse_products(formula)
    common = build_common(formula, cells)
    stated = stated_columns(common, priors)
    common = at_zero(common, stated) if intercept_at == "zero" else common
    ordered = family.thresholds is not None
    common = without_intercept(common, intercept_at == "zero") if ordered else common
    offsets_of_mean = formula.offsets
    parts = parts_of(formula, family)
    if family.per_category is not None:  # the reference category, with which the others are compared
        common, offsets_of_mean = CommonDesign((), {}, np.zeros((0, 0)), np.zeros(0)), ()
    predictors = {"mu": LinearPredictor("mu", family.link, common, offsets_of_mean)}
    predictors |= _further(parts, family, cells, priors, intercept_at)
    groups, notices = _groups(parts, cells)
    offsets = offset(formula.offsets, cells.frame)
    _refuse_wide(family, formula, offsets)
    chosen, prior_notices = choose_priors(family, cells, offsets, predictors, groups, priors)
    spec = Spec(formula, family, cells, predictors, groups, chosen)
    _refuse_clashes(spec)
    if family.link.is_bounded:
        refuse_without_mean(formula, family.link, predictors["mu"], cells)
    prior_notices += [] if ordered else intercept_notices(common, cells, chosen, stated, intercept_at)
    notices += [STANDS] if ordered and not formula.intercept else []
    told = [notice for each in predictors.values() for notice in dependence_notices(each.common, cells)]
    of_mean = [term for term in groups if "mu" in {effect.parameter for effect in term.effects}]
    return spec, [*told, *notices, *residual_notices(family, common, of_mean, cells), *prior_notices]


def parts_of(formula: Formula, family: Family) -> tuple[Part, ...]:
    """The right sides by their parameters: of categories without an order, that of the mean for each but the first."""
    if family.per_category is None:
        return formula.parts
    stated = {part.parameter: part for part in formula.further}
    names = ("intercept", "common", "offsets", "uncentred")
    shared = {name: getattr(formula, name) for name in names} | {"groups": formula.written_groups or formula.groups}
    return tuple(stated.get(own.name, ParameterFormula(own.name, **shared)) for own in family.parameters)


def _further(
    parts: Iterable[Part],
    family: Family,
    cells: Cells,
    priors: Mapping[str, str],
    intercept_at: str,
) -> dict[str, LinearPredictor]:
    """The linear predictors of other parameters than the mean, in the family's order."""
    found = {}
    for part in parts:
        if not isinstance(part, ParameterFormula):
            continue
        parameter = family.parameter(part.parameter)
        built = build_predictor(part, LINKS[parameter.chosen_link], cells)
        if intercept_at == "zero" or part.uncentred:
            stated = stated_columns(built.common, priors)
            built = replace(built, common=at_zero(built.common, stated))
        found[part.parameter] = built
    return {name: found[name] for name in family.auxiliary if name in found}


def _groups(parts: Iterable[Part], cells: Cells) -> tuple[tuple[GroupDesign, ...], list[str]]:
    """The group terms of all linear predictors, those of one ID and factor as one, and what to say of them."""
    groups: dict[object, GroupDesign] = {}
    notices = []
    for place, (parameter, term) in enumerate(
        (getattr(part, "parameter", "mu"), term) for part in parts for term in part.groups
    ):
        built, said = build_group(term, cells, parameter)
        key = (term.block, frozenset(term.factors)) if term.block else place
        groups[key] = groups[key].joined_with(built) if key in groups else built
        notices += said
    return tuple(groups.values()), notices


def _refuse_wide(family: Family, formula: Formula, offsets: np.ndarray) -> None:
    """Refuse an offset that takes the inverse link out of what a computer can hold: most often a log was forgotten."""
    if family.link.name == "identity" or not np.ptp(offsets) + np.abs(offsets).max(initial=0.0) > WIDEST_OFFSET:
        return
    name = " + ".join(formula.offsets)
    inner = ", ".join(source for each in formula.offsets for source in formula.sources[each])
    remedy = f" If {inner} is an exposure, write offset(log({inner}))." if family.link.name == "log" else ""
    raise DataError(
        f"The offset {name} goes from {offsets.min():.4g} to {offsets.max():.4g} on the {family.link.name} scale, "
        f"with which no {family.name} model can be computed.{remedy}"
    )


def _variables(spec: Spec) -> list[Variable]:
    return [*threshold_variables(spec.family), *linear_variables(spec.predictors, spec.groups, spec.scalars)]


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _refuse_clashes(spec: Spec) -> None:
    """Refuse column names that would give two variables or dimensions of the posterior one name."""
    variables = _variables(spec)
    names = [spec.formula.response.name, *(variable.name for variable in variables)]
    names += [f"{variable.name}_offset" for variable in variables if variable.role in ("effect", "correlation")]
    dims = (zip(variable.dims, variable.labels, strict=True) for variable in variables)
    names += [dim for dim, _ in dict.fromkeys(pair for pairs in dims for pair in pairs)]
    twice = _repeated(names)
    if not twice:
        twice = _repeated([name for block in spec.coefficients.blocks for name in block.row_names()])
    for group in {term.grouping.name for term in spec.groups}:
        terms = [term.row_names for term in spec.groups if term.grouping.name == group]
        twice = twice or _repeated([name for names_of_term in terms for name in names_of_term])
    if twice:
        raise DataError(
            f"Two quantities of this model would be called {twice[0]!r}. Rename a column, or a level, of the formula."
        )
