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
from hiermod.families.specific import SPECIFIC
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
from hiermod.modeling.monotonic import Monotonic, monotonic_of, refuse_steps
from hiermod.modeling.prior_choice import Priors, choose_priors
from hiermod.modeling.protocol import PriorRow, Question, Variable, linear_variables, threshold_variables
from hiermod.modeling.separation import Separation, find_separation
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth, curves, refuse_products, smooth_notices, smooths_of
from hiermod.modeling.thresholds import is_of_chances, without_intercept
from hiermod.priors.distributions import Prior

MOST_SLOPES = 200  # of a set with one prior, that are sampled by the engine: each step takes their Cholesky factor
OF_ALL_THRESHOLDS = "cs()"  # the ID of bars whose effects on each threshold are correlated
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
    shrunk : tuple of Shrunk
        The sets of coefficients that have one prior together, for which standard normals stand among `priors`.
    """

    formula: Formula
    family: Family
    cells: Cells
    predictors: Mapping[str, LinearPredictor]
    groups: tuple[GroupDesign, ...]
    priors: Priors
    prior_alone: bool = False
    shrunk: tuple[Shrunk, ...] = ()

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

    @cached_property
    def monotonic(self) -> tuple[Monotonic, ...]:
        """The monotonic effects among the common terms of all linear predictors."""
        return monotonic_of(self.coefficients.blocks)

    @cached_property
    def threshold_moves(self) -> np.ndarray:
        """What each coefficient moves thresholds by, from predictors' means to the user's coding.

        Shape ``(coefficients, thresholds)``.
        """
        places = {name: [place] for place, name in enumerate(self.family.specific)}
        moves = np.zeros((len(self.coefficients.shift), len(self.family.entries)))
        at = 0
        for name, predictor in self.predictors.items():
            level, size = predictor.common.level, len(predictor.common.shift)
            if level is not None and (name == "mu" or name in places):
                moves[at : at + size, places.get(name, slice(None))] = level[:, None]
            at += size
        return moves

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
        smooth, monotonic = [*curves(smooths_of(common.blocks))], monotonic_of(common.blocks)
        for own in monotonic:  # whose whole effects stand where the steps do
            for name, prior, steps in zip(own.row_names, self.priors[own.name], own.places, strict=True):
                found[steps[0]] = _row(name, prior, link, "from the lowest level to the highest")
        for shrunk in self.shrunk:
            if shrunk.parameter == predictor.parameter:
                found = _of_set(shrunk, names, found, link)
        left_out = {place for curve in smooth for place in curve.wiggles}
        left_out |= {place for own in monotonic for place in own.places[:, 1:].ravel()}
        spreads = [_row(curve.key, self.priors[curve.sd_name][curve.place], link) for curve in smooth]
        shares = [
            _row(key, prior, "shares of the steps")
            for own in monotonic
            for key, prior in zip(own.share_keys, self.priors[own.shares_name], strict=True)
        ]
        sets = [row for own in self.shrunk if own.parameter == predictor.parameter for row in _set_rows(own, link)]
        return [*(row for place, row in enumerate(found) if place not in left_out), *spreads, *shares, *sets]

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
        if self.family.categories and question in ("plan", "bambi"):
            return _of_categories(self.family, question)
        if len(self.predictors) > 1 and question in ("plan", "bambi"):
            return "its formula has linear predictors of several parameters, which this does not cover"
        if scaled and question in ("plan", "bambi"):
            return f"the exposure of {self.formula.left}, which multiplies the shape, is not covered"
        if question == "bambi" and self.family.is_rate and self.family.link.is_bounded:
            return f"Bambi's {self.family.name} has no {self.family.link.name} link. model.pymc() gives the PyMC model."
        if self.family.link.is_bounded and question == "plan":
            return f"plan() draws from the prior, which the {self.family.link.name} link does not bound by itself."
        if self.monotonic and question == "plan":
            return "monotonic effects are not covered"
        if self.shrunk and question in ("plan", "bambi"):
            return f"the prior {self.shrunk[0].prior.name} of a set of slopes is not covered"
        if question == "bambi" and (bars := [str(bar) for bar in self.formula.all_groups if bar.covariances]):
            return f"Bambi has no covariance for each level of a factor, as {bars[0]} says."
        if question == "compiled":
            if self.family.specific:
                return "effects that differ between thresholds, cs(), are not covered"
            if self.family.added:
                return f"a linear predictor of {', '.join(self.family.added)} is not covered"
            if self.family.kernel is None:
                return f"the family {self.family} is not covered"
            if self.family.base is not None and self.family.link.name != self.family.links[0]:
                return f"censored and truncated responses under the {self.family.link.name} link are not covered"
            for own in self.shrunk:
                if len(own.places) > MOST_SLOPES:
                    return f"the prior {own.prior.name} of more than {MOST_SLOPES} slopes is not covered"
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


def _of_set(own: Shrunk, names: list[str], rows: list[PriorRow], link: str) -> list[PriorRow]:
    """The rows of coefficients, the prior of a set with those that are in it."""
    return [(name, own.prior.describe(), link, row[3]) if name in own.names else row
            for name, row in zip(names, rows, strict=True)]  # fmt: skip


def _set_rows(own: Shrunk, link: str) -> list[PriorRow]:
    """What a set of slopes shares."""
    unit = "units of sigma" if own.by_sigma else link
    scales = {"global": unit, "slab": link, "local": "times the global one", "R2": "share of the variance",
              "phi": "shares of the slopes"}  # fmt: skip
    return [_row(name, own.priors[name][0], scales[name.removeprefix(f"{own.prefix}_")])
            for name in (*own.shared, own.single)]  # fmt: skip


def _of_categories(family: Family, question: Question) -> str:
    """Why a model of categories is not planned by trials, nor handed over to Bambi, and what is instead."""
    if question == "bambi":
        return f"The family {family} is not handed over to Bambi. model.pymc() gives the PyMC model."
    return (
        f"plan() is of rates, counts and numbers, and the family {family} is of categories. Plan for the chance of one "
        "of them, or of a side, as successes: hm.plan('s/n ~ ...', design, ...)."
    )


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
    refuse_steps(formula)
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
    chosen, shrunk, prior_notices = choose_priors(family, cells, offsets, predictors, groups, priors)
    spec = Spec(formula, family, cells, predictors, groups, chosen, shrunk=shrunk)
    _refuse_clashes(spec)
    if family.link.is_bounded:
        refuse_without_mean(formula, family.link, predictors["mu"], cells)
    prior_notices += [] if ordered else intercept_notices(common, cells, chosen, stated, intercept_at)
    notices += [STANDS] if ordered and not formula.intercept else []
    notices += [
        _anchored(name, own.common) for name, own in predictors.items()
        if name in family.auxiliary and family.parameter(name).anchored and name not in family.specific
    ]  # fmt: skip
    notices += [_each_threshold(formula, family)] if family.specific else []
    told = [notice for each in predictors.values() for notice in dependence_notices(each.common, cells)]
    rights: tuple[Part, ...] = (formula, *formula.further)
    told += [notice for part in rights for notice in smooth_notices(part, cells.recipes)]
    of_mean = [term for term in groups if "mu" in {effect.parameter for effect in term.effects}]
    return spec, [*told, *notices, *residual_notices(family, common, of_mean, cells), *prior_notices]


def _anchored(name: str, common: CommonDesign) -> str:
    """What the linear predictor of a parameter without an intercept is measured from."""
    if any(block.spans_constant for block in common.blocks):
        return (
            f"{name} ~ 0 + has an indicator for each level: priors alone tell their common part from thresholds and "
            f"coefficients; {name} ~ without the 0 compares levels with the first"
        )
    return (
        f"{name} is 1 where its numeric predictors are 0 and its factors at their reference: it has no intercept, for "
        "which thresholds and coefficients stand"
    )


def _each_threshold(formula: Formula, family: Family) -> str:
    """What ``cs()`` means, and what its parameters are called."""
    first, last = family.specific[0], family.specific[-1]
    part = next(part for part in formula.further if part.parameter == SPECIFIC.name)
    terms = " + ".join([*map(str, part.common), *map(str, part.groups)])
    return f"cs({terms}): effects of its own on each threshold, {first} to {last}; a higher one, higher categories"


def parts_of(formula: Formula, family: Family) -> tuple[Part, ...]:
    """The right sides by their parameters.

    Of categories without an order, that of the mean for each but the first; of ordered ones, that of ``cs()`` for each
    threshold, whose bars correlate effects on all of them.
    """
    if family.specific:
        return tuple(own for part in formula.parts for own in _of_thresholds(part, family))
    if family.per_category is None:
        return formula.parts
    stated = {part.parameter: part for part in formula.further}
    names = ("intercept", "common", "offsets", "uncentred")
    shared = {name: getattr(formula, name) for name in names} | {"groups": formula.written_groups or formula.groups}
    return tuple(stated.get(own.name, ParameterFormula(own.name, **shared)) for own in family.parameters)


def _of_thresholds(part: Part, family: Family) -> Iterable[Part]:
    """The part of each threshold, where it is that of them all."""
    if not isinstance(part, ParameterFormula) or part.parameter != SPECIFIC.name:
        return (part,)
    groups = tuple(replace(bar, block=bar.block or OF_ALL_THRESHOLDS) if bar.correlated else bar for bar in part.groups)
    return (replace(part, parameter=name, groups=groups) for name in family.specific)


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
        if parameter.anchored:
            at_their_means = part.parameter in family.specific and intercept_at == "mean"
            built = replace(built, common=without_intercept(built.common, at_zero=not at_their_means))
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
        notices += said
        for level, own in enumerate(built):
            key = (term.block, frozenset(term.factors)) if term.block else (place, level)
            groups[key] = groups[key].joined_with(own) if key in groups else own
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
    linear = linear_variables(spec.predictors, spec.groups, spec.scalars, spec.shrunk)
    return [*threshold_variables(spec.family), *linear]


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _refuse_clashes(spec: Spec) -> None:
    """Refuse column names that would give two variables or dimensions of the posterior one name."""
    variables = _variables(spec)
    names = [spec.formula.response.name, *(variable.name for variable in variables)]
    names += [
        f"{variable.name}_offset" for variable in variables if variable.role in ("effect", "correlation", "share")
    ]
    names += [f"{own.prefix}_offset" for own in spec.shrunk]
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
