"""From a spec to what compiled code needs of it: rows, factors, hyperparameters and priors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from hiermod.data.cells.statistics import (
    BinomialCells,
    BoundedCells,
    CountCells,
    ErrorCells,
    MeasuredCells,
    PairCells,
    RealCells,
    ValueCells,
)
from hiermod.engine.kernels.record import HORSESHOE, KERNELS, ORDERED_KERNELS, R2D2
from hiermod.engine.layout.integration import Integration
from hiermod.families.bounded import recorded
from hiermod.families.record import THRESHOLDS
from hiermod.modeling.coding import Block
from hiermod.modeling.density_rows import Observed, Segment, observe
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.monotonic import Monotonic, shares_of, sticks
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Curve, curves
from hiermod.modeling.spec import Spec
from hiermod.modeling.thresholds import start_of, usual_place
from hiermod.priors.distributions import Prior, partial_priors

SPREAD = 2.0  # of the threshold in the middle, roughly, where chances are uniform
LONG_RUN = 8  # rows of a group, from which it pays to have them side by side
GAUSSIAN, LOGIT, ONE_TRIAL = "gaussian_identity", "trials_logit", "one_trial_logit"
HURDLE_SHARES = "hurdle_shares"
GAUSSIAN_WITHIN = "gaussian_within"  # rows that stand for the spread within cells
AS_THEY_COME = (GAUSSIAN, "negbinomial_log")  # by products of matrices; with rows of equal counts side by side


@dataclass(frozen=True, eq=False)
class TermPlace:
    """A group term's columns within its factor, and where its standard deviations and partial correlations stand."""

    term: GroupDesign
    first: int
    sds: int
    partial: int
    step: int = 1

    @property
    def columns(self) -> int:
        """How many effects a group has in this term."""
        return len(self.term.row_names)


@dataclass(frozen=True, eq=False)
class SmoothPlace:
    """The wiggles of a curve as effects of one group, which share a standard deviation, and where that stands."""

    curve: Curve
    sds: int
    first: int = 0
    partial: int = -1
    step: int = 0

    @property
    def columns(self) -> int:
        """How many wiggles there are."""
        return len(self.curve.wiggles)


@dataclass(frozen=True, eq=False)
class ShrunkPlace:
    """A set of slopes with one prior as effects of one group, each in the unit of its column.

    `shared` is where what all share stands among hyperparameters, `slab` the slab, `single` a scale or a stick of each,
    and `sigma` the residual standard deviation, or -1; `back` gives the user's coefficients, ``(columns, slopes)``.
    """

    own: Shrunk
    shared: int
    slab: int
    single: int
    sigma: int
    back: np.ndarray

    @property
    def kind(self) -> int:
        """The prior's code."""
        return HORSESHOE if self.own.is_horseshoe else R2D2

    @property
    def columns(self) -> int:
        """How many slopes there are."""
        return len(self.own.places)


@dataclass(frozen=True, eq=False)
class Factor:
    """All group terms of one grouping factor; effects of column c and group g stand at ``start + c groups + g``.

    `slots` tells in the linear predictor of which parameter each column stands: 0 is mu, 1 the first one beside it.
    """

    groups: int
    terms: tuple[TermPlace | SmoothPlace | ShrunkPlace, ...]
    start: int
    codes: np.ndarray
    multipliers: np.ndarray
    slots: np.ndarray

    @property
    def width(self) -> int:
        """How many effects each group has."""
        return len(self.multipliers)

    @property
    def of_set(self) -> ShrunkPlace | None:
        """The set of slopes that it is, if it is one."""
        return next((own for own in self.terms if isinstance(own, ShrunkPlace)), None)

    @property
    def plain(self) -> tuple[TermPlace | SmoothPlace, ...]:
        """The others, whose standard deviations are hyperparameters."""
        return tuple(own for own in self.terms if not isinstance(own, ShrunkPlace))

    @property
    def of_groups(self) -> tuple[GroupDesign, ...]:
        """Its group terms."""
        return tuple(own.term for own in self.terms if isinstance(own, TermPlace))

    @property
    def span(self) -> slice:
        """Where its effects stand among the coefficients."""
        return slice(self.start, self.start + self.groups * self.width)


@dataclass(frozen=True)
class Hyperparameter:
    """A standard deviation or the like: its variable, place in it, prior, and the coefficient that it is, or -1."""

    name: str
    place: int
    prior: Prior
    coefficient: int = -1


@dataclass(frozen=True, eq=False)
class MonotonicPlace:
    """Where a monotonic effect's whole and its sticks stand among hyperparameters, and its steps among coefficients.

    `columns` are the steps' places among those of the spec's term.
    """

    own: Monotonic
    columns: np.ndarray
    whole: int
    sticks: int
    first: int

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.columns)

    def shares(self, hyperparameters: np.ndarray) -> np.ndarray:
        """The steps' shares, shape ``(..., steps)``, of hyperparameters, the last axis."""
        return shares_of(hyperparameters[..., self.sticks : self.sticks + self.steps - 1])

    def coefficients(self, hyperparameters: np.ndarray) -> np.ndarray:
        """The steps' coefficients."""
        return np.asarray(hyperparameters[..., self.whole, None] * self.shares(hyperparameters))


@dataclass(frozen=True, eq=False)
class ThresholdPlace:
    """Thresholds of ordered categories, measured from one of them.

    The one at `reference`, times -1, is the first common coefficient; the distances of the others from it are the
    family's first hyperparameters. `level` is what coefficients move them by, in the user's coding.
    """

    count: int
    reference: int
    increasing: bool
    priors: tuple[Prior, ...]
    level: np.ndarray

    def between(self, distances: np.ndarray) -> np.ndarray:
        """From distances from the reference to those that are sampled: between neighbours where they increase."""
        if not self.increasing:
            return distances
        whole = np.insert(distances, self.reference, 0.0)
        return np.diff(whole)

    def reported(self, draws: np.ndarray, first: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Draws of all thresholds in the user's coding, given distances, the first coefficient, and the others."""
        whole = np.insert(draws, self.reference, 0.0, axis=-1) - first[..., None]
        return np.asarray(whole + (coefficients @ self.level)[..., None])


@dataclass(frozen=True, eq=False)
class Problem:
    """A model as compiled code sees it.

    Parameters
    ----------
    design : ndarray, shape (columns, rows)
        The centred common design, columns in `order`.
    order : ndarray of int
        Which column of the spec stands where: those with priors on the whole line first.
    linear : int
        How many these are.
    back : ndarray, shape (columns, columns)
        From centred coefficients in `order` to those of the user, in the spec's order.
    factors : tuple of Factor
        The largest last.
    hyperparameters : tuple of Hyperparameter
        Standard deviations, offsets of partial correlations, bounded coefficients, the family's parameters.
    auxiliary : int
        Where the family's begin.
    common_slots : ndarray of int
        The slot of the parameter in whose linear predictor each common column stands.
    by_rows : bool
        Whether rows are scored one by one, by parameters that may differ between them.
    bounds : ndarray, shape (3, rows)
        Of responses that are censored or truncated: ends of intervals, and between what a response is recorded.
    shares_from : int
        From which row on a hurdle's rows are shares of zeros; below 0 of other families.
    part : {"", "above", "zeros"}
        Of which part of a hurdle it is alone.
    monotonic : tuple of MonotonicPlace
        Their steps are the last of the common coefficients.
    unit, origin : float
        What response, offset and all on their scale are measured in, and where from, in this unit.
    thresholds : ThresholdPlace, optional
        Of ordered categories.
    integrated : Factor, optional
        Whose effects are integrated out, and are no coefficients.
    integration : Integration, optional
        How they are.
    """

    spec: Spec
    kernel: str
    design: np.ndarray
    order: np.ndarray
    linear: int
    back: np.ndarray
    priors: tuple[Prior, ...]
    factors: tuple[Factor, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    auxiliary: int
    offset: np.ndarray
    response: np.ndarray
    size: np.ndarray
    count: np.ndarray
    squares: float = 0.0
    observations: float = 0.0
    unit: float = 1.0
    origin: float = 0.0
    thresholds: ThresholdPlace | None = None
    common_slots: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    by_rows: bool = False
    bounds: np.ndarray = field(default_factory=lambda: np.zeros((3, 0)))
    shares_from: int = -1
    part: str = ""
    monotonic: tuple[MonotonicPlace, ...] = ()
    integrated: Factor | None = None
    integration: Integration | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The family's parameters that it is of."""
        names = _slots(self.spec)
        return {"above": names[:-1], "zeros": names[-1:]}.get(self.part, names)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Which rows are scored by which kernel."""
        if self.shares_from >= 0:
            ends = self.shares_from, len(self.response)
            return (Segment(self.kernel, 0, ends[0]), Segment(HURDLE_SHARES, *ends))
        cells = len(self.spec.cells)
        if self.by_rows and self.kernel == GAUSSIAN and len(self.response) > cells:
            return (Segment(GAUSSIAN, 0, cells), Segment(GAUSSIAN_WITHIN, cells, len(self.response)))
        return (Segment(self.kernel, 0, len(self.response)),)

    @property
    def is_gaussian(self) -> bool:
        """Whether the likelihood is computed from products of matrices."""
        return self.kernel == GAUSSIAN and not self.by_rows and self.integrated is None

    @property
    def every_factor(self) -> tuple[Factor, ...]:
        """All factors, the integrated one last."""
        return (*self.factors, *(() if self.integrated is None else (self.integrated,)))

    @cached_property
    def slots(self) -> np.ndarray:
        """The slot of each coefficient."""
        effects = [np.repeat(factor.slots, factor.groups) for factor in self.factors]
        return np.concatenate([self.common_slots, *effects]).astype(int)

    @cached_property
    def nesting(self) -> np.ndarray:
        """Whether each group of a factor is in one group of an earlier one, shape ``(factors, factors)``."""
        found = np.zeros((len(self.factors), len(self.factors)), dtype=bool)
        for outer, inner in itertools.combinations(range(len(self.factors)), 2):
            codes, whole = self.factors[inner].codes, self.factors[outer]
            pairs = np.unique(codes.astype(np.int64) * whole.groups + whole.codes)
            found[inner, outer] = len(pairs) == len(np.unique(codes))
        return found

    @property
    def common(self) -> int:
        """How many common coefficients there are."""
        return len(self.order)

    @property
    def coefficients(self) -> int:
        """How many coefficients there are, effects of groups included."""
        return self.common + sum(factor.groups * factor.width for factor in self.factors)

    @property
    def dimension(self) -> int:
        """How many numbers the sampler moves."""
        return self.coefficients - self.common + self.linear + len(self.hyperparameters)

    @property
    def typical(self) -> np.ndarray:
        """Values of hyperparameters in the bulk of their priors."""
        values = np.array([each.prior.typical for each in self.hyperparameters])
        if self.thresholds is None or not self.thresholds.increasing:
            return values
        own, at = slice(self.auxiliary, self.auxiliary + self.thresholds.count - 1), self.thresholds.reference
        whole = np.concatenate([[0.0], np.cumsum(values[own])])
        values[own] = np.delete(whole - whole[at], at)
        return values

    @property
    def group_ends(self) -> np.ndarray:
        """Where the rows of the last factor's groups end; empty if they are not sorted by it."""
        if not self.factors or (np.diff(self.factors[-1].codes) < 0).any():
            return np.zeros(0, dtype=int)
        return np.cumsum(np.bincount(self.factors[-1].codes, minlength=self.factors[-1].groups))

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The whole design, shape ``(rows, coefficients)``."""
        parts = [sparse.csr_array(self.design.T)] if self.common else []
        parts += [columns_of(factor) for factor in self.factors]
        return sparse.hstack(parts, format="csr") if parts else sparse.csr_array((self.design.shape[1], 0))


def columns_of(factor: Factor) -> sparse.csr_array:
    """The columns of the design that are of a factor's effects, shape ``(rows, effects)``."""
    size = len(factor.codes)
    rows, shape = np.arange(size), (size, factor.groups)
    parts = [sparse.csr_array((numbers, (rows, factor.codes)), shape=shape) for numbers in factor.multipliers]
    return sparse.csr_array(sparse.hstack(parts, format="csr"))


def stated_map(problem: Problem) -> np.ndarray:
    """From coefficients of the centred design, then wiggles and slopes of sets, to the user's; a square matrix."""
    parts = [problem.back]
    for factor in problem.factors:
        own = factor.terms[0]
        if isinstance(own, SmoothPlace):
            part = np.zeros((len(problem.back), own.columns))
            part[own.curve.wiggles, np.arange(own.columns)] = 1.0
            parts.append(part)
        if isinstance(own, ShrunkPlace):
            parts.append(own.back)
    return np.hstack(parts)


def read_problem(spec: Spec) -> Problem:
    """Put a spec into the order and form of compiled code."""
    rows = observe(spec.cells)
    blocks = spec.coefficients.blocks
    flat = [prior for block in blocks for prior in spec.priors[block.name]]
    on_line = np.array([prior.located for prior in flat], dtype=bool)
    smooth = [*curves(spec.smooths)]
    steps = np.concatenate([np.zeros(0, dtype=int), *(own.places.ravel() for own in spec.monotonic)])
    apart = [*steps, *(place for curve in smooth for place in curve.wiggles)]
    apart += [place for own in spec.shrunk for place in own.places]
    plain = ~np.isin(np.arange(len(flat)), apart)
    order = np.concatenate([np.flatnonzero(on_line & plain), np.flatnonzero(~on_line & plain), steps]).astype(int)
    design, back = _centred_design(spec, rows)
    linear, before_steps = int((on_line & plain).sum()), int(plain.sum())
    start = len(order)
    hyperparameters: list[Hyperparameter] = []
    factors: list[Factor] = []
    for curve in smooth:
        factors.append(_curve(spec, curve, design, start, hyperparameters))
        start = factors[-1].span.stop
    for own in spec.shrunk:
        factors.append(_set(spec, own, design, back, start, hyperparameters))
        start = factors[-1].span.stop
    for terms in _by_factor(spec):
        factors.append(_factor(spec, rows, terms, start, hyperparameters))
        start = factors[-1].span.stop
    names = [(block.name, place) for block in blocks for place in range(len(block.columns))]
    for place, column in enumerate(order[linear:before_steps], start=linear):
        name, within = names[column]
        hyperparameters.append(Hyperparameter(name, within, flat[column], place))
    monotonic = _monotonic(spec, before_steps, hyperparameters)
    auxiliary = len(hyperparameters)
    hyperparameters += [Hyperparameter(name, 0, spec.priors[name][0]) for name in spec.scalars]
    factors = [_with_sigma(factor, spec, auxiliary) for factor in factors]
    kernel = f"{spec.family.kernel}_{spec.family.link.name}"
    exposed = spec.shape_exposure(spec.cells.frame) is not None
    by_rows = exposed or len(spec.predictors) > 1 or kernel not in {**KERNELS, **ORDERED_KERNELS}
    problem = Problem(
        spec, kernel, design[order], order, linear, back[:, order],
        tuple(flat[column] for column in order[:linear]), tuple(factors), tuple(hyperparameters), auxiliary,
        _offset(spec, rows) if by_rows else rows.offset(spec.predictors["mu"].offsets),
        *(_by_rows(spec, rows) if by_rows else _response(spec, rows)),
        common_slots=np.array([_slot(spec, block) for block in blocks for _ in block.columns], dtype=int)[order],
        by_rows=by_rows, bounds=_bounds(spec), monotonic=monotonic,
    )  # fmt: skip
    return _for_speed(_with_thresholds(problem) if spec.family.thresholds is not None else problem)


def _with_thresholds(problem: Problem) -> Problem:
    """The same with thresholds: one of them among the common coefficients, and the distances of the others from it.

    Their stand-ins for priors say where to start, and how far a step goes.
    """
    spec = problem.spec
    family, level = spec.family, spec.common.level
    assert family.thresholds is not None
    assert level is not None
    start, place, increasing = (
        start_of(family, spec.cells.response),
        usual_place(spec.cells.response),
        family.thresholds.increasing,
    )
    steps = np.diff(start) if increasing else np.delete(start - start[place], place)
    stand_ins = [Prior("Exponential", (1.0 / step,)) if increasing else Prior("Normal", (step, 1.0)) for step in steps]
    own = [Hyperparameter(f"{THRESHOLDS}_{number}", 0, prior) for number, prior in enumerate(stand_ins)]
    before, after = problem.hyperparameters[: problem.auxiliary], problem.hyperparameters[problem.auxiliary :]
    before = tuple(replace(each, coefficient=each.coefficient + (each.coefficient >= 0)) for each in before)
    monotonic = tuple(replace(own, first=own.first + 1) for own in problem.monotonic)
    size = problem.design.shape[1]
    centred = problem.design - (level @ problem.back)[:, None]
    factors = tuple(_centred_slopes(replace(factor, start=factor.start + 1), level) for factor in problem.factors)
    return replace(
        problem, design=np.vstack([np.ones((1, size)), centred]), order=np.append(-1, problem.order),
        linear=problem.linear + 1, back=np.hstack([np.zeros((len(problem.back), 1)), problem.back]),
        priors=(Prior("Normal", (float(-start[place]), SPREAD)), *problem.priors), factors=factors,
        hyperparameters=(*before, *own, *after), common_slots=np.append(0, problem.common_slots),
        thresholds=ThresholdPlace(len(start), place, increasing, spec.priors[THRESHOLDS], level), monotonic=monotonic,
    )  # fmt: skip


def _for_speed(problem: Problem) -> Problem:
    """The same in the form that is computed fastest."""
    if problem.kernel == LOGIT and (problem.size == 1.0).all() and not problem.by_rows:
        problem = replace(problem, kernel=ONE_TRIAL)
    if problem.spec.family.zeros == "hurdle":
        return _parted(problem)
    as_it_comes = problem.kernel == GAUSSIAN if problem.by_rows else problem.kernel in AS_THEY_COME
    if not problem.factors or as_it_comes:
        return problem
    long = len(problem.response) >= LONG_RUN * problem.factors[-1].groups
    return _sorted(problem) if long else problem


def _parted(problem: Problem) -> Problem:
    """A hurdle's problem, its rows above 0 first, then the shares of zeros: how many (`response`) of how many (`size`).

    Zeros say nothing of what is above 0, and how much a response is above 0 nothing of the share of zeros. So the parts
    share no rows, and rows that are equal in what the share of zeros depends on are one.
    """
    above = np.flatnonzero(problem.response > 0.0)
    cell = _cells_of_shares(problem)
    size = int(cell.max(initial=-1)) + 1
    zeros, trials = (np.bincount(cell, weight, size) for weight in (
        np.where(problem.response > 0.0, 0.0, problem.count), problem.count
    ))  # fmt: skip
    _, first = np.unique(cell, return_index=True)
    rows, ones = np.concatenate([above, first]), np.ones(len(above))
    offset = problem.offset.reshape(-1, len(problem.response))[:, rows].ravel()
    factors = tuple(
        replace(factor, codes=factor.codes[rows], multipliers=factor.multipliers[:, rows]) for factor in problem.factors
    )
    return replace(
        problem, design=np.ascontiguousarray(problem.design[:, rows]), factors=factors, offset=offset,
        response=np.concatenate([problem.response[above], zeros]), size=np.concatenate([ones, trials]),
        count=np.concatenate([problem.count[above], np.ones(size)]),
        observations=float(problem.count[above].sum()), shares_from=len(above),
    )  # fmt: skip


def _cells_of_shares(problem: Problem) -> np.ndarray:
    """Which rows are equal in what the linear predictor of the share sees; numbered in the order of their groups."""
    slot = len(problem.spec.family.parameters)
    columns = [problem.offset.reshape(-1, len(problem.response))[slot], *problem.design[problem.common_slots == slot]]
    for factor in reversed(problem.factors):
        multipliers = factor.multipliers[factor.slots == slot]
        columns = [*([factor.codes] if len(multipliers) else []), *columns, *multipliers]
    frame = pd.DataFrame(dict(enumerate(columns)))
    return frame.groupby(list(frame), sort=True).ngroup().to_numpy()


def _sorted(problem: Problem) -> Problem:
    """The same with rows in the order of the last factor's groups."""
    order = np.argsort(problem.factors[-1].codes, kind="stable")
    rows = len(order)
    offset = problem.offset.reshape(-1, rows)[:, order].reshape(problem.offset.shape)
    factors = tuple(replace(factor, codes=factor.codes[order], multipliers=factor.multipliers[:, order])
                    for factor in problem.factors)  # fmt: skip
    count = problem.count[order] if len(problem.count) else problem.count
    return replace(
        problem, design=problem.design[:, order], factors=factors, offset=offset,
        response=problem.response[order], size=problem.size[order], count=count,
        bounds=problem.bounds[:, order] if problem.bounds.size else problem.bounds,
    )  # fmt: skip


def _centred_design(spec: Spec, rows: Observed) -> tuple[np.ndarray, np.ndarray]:
    """The columns for centred coefficients, shape ``(columns, rows)``, and the map to the user's coefficients."""
    blocks, size = spec.coefficients.blocks, len(spec.coefficients.shift)
    if not blocks:
        return np.zeros((0, len(rows))), np.zeros((0, 0))
    back = np.linalg.inv(np.eye(size) + spec.coefficients.shift)
    return np.ascontiguousarray(back.T @ np.vstack([rows.matrix(block).T for block in blocks])), back


def _by_factor(spec: Spec) -> list[list[GroupDesign]]:
    """The group terms of each grouping factor, that with most effects last."""
    factors: dict[str, list[GroupDesign]] = {}
    for term in spec.groups:
        factors.setdefault(term.grouping.name, []).append(term)
    return sorted(
        factors.values(), key=lambda terms: terms[0].grouping.size * sum(len(term.row_names) for term in terms)
    )


def _factor(
    spec: Spec, rows: Observed, terms: list[GroupDesign], start: int, hyperparameters: list[Hyperparameter]
) -> Factor:
    places: list[TermPlace] = []
    multipliers: list[np.ndarray] = []
    for term in terms:
        sds = len(hyperparameters)
        for effect in term.effects:
            name = effect.sd_name
            hyperparameters += [Hyperparameter(name, column, prior) for column, prior in enumerate(spec.priors[name])]
            multipliers += list(rows.matrix(effect.block).T)
        partial = len(hyperparameters) if term.correlated else -1
        if term.correlated:
            partials = partial_priors(spec.priors[term.correlation_name][0], len(term.row_names))
            offset = f"{term.correlation_name}_offset"
            hyperparameters += [Hyperparameter(offset, at, prior) for at, prior in enumerate(partials)]
        places.append(TermPlace(term, sum(place.columns for place in places), sds, partial))
    slots = [_slot(spec, block) for term in terms for block in term.blocks for _ in block.columns]
    return Factor(
        terms[0].grouping.size,
        tuple(places),
        start,
        rows.codes(terms[0].grouping),
        np.array(multipliers),
        np.array(slots),
    )


def _slots(spec: Spec) -> tuple[str, ...]:
    """The parameters by their slots."""
    return ("mu", *(own.name for own in spec.family.single))


def _curve(spec: Spec, curve: Curve, design: np.ndarray, start: int, hyperparameters: list[Hyperparameter]) -> Factor:
    """The wiggles of a curve, as the effects of one group in which all rows are."""
    place, prior = SmoothPlace(curve, len(hyperparameters)), spec.priors[curve.sd_name][curve.place]
    hyperparameters.append(Hyperparameter(curve.sd_name, curve.place, prior))
    slots = np.full(place.columns, _slots(spec).index(curve.parameter))
    return Factor(1, (place,), start, np.zeros(design.shape[1], dtype=int), design[curve.wiggles], slots)


def _set(
    spec: Spec, own: Shrunk, design: np.ndarray, back: np.ndarray, start: int, hyperparameters: list[Hyperparameter]
) -> Factor:
    """Slopes with one prior as the effects of one group in which all rows are, in the units of their columns."""
    shared = len(hyperparameters)
    hyperparameters += [Hyperparameter(name, 0, own.priors[name][0]) for name in own.shared]
    single, name = len(hyperparameters), own.single
    singles = own.priors[name] if own.is_horseshoe else own.sticks
    name = name if own.is_horseshoe else f"{name}_offset"
    hyperparameters += [Hyperparameter(name, at, prior) for at, prior in enumerate(singles)]
    place = ShrunkPlace(own, shared, single - 1, single, -1, back[:, own.places] / own.scales)
    slots = np.full(place.columns, _slots(spec).index(own.parameter))
    multipliers = design[own.places] / own.scales[:, None]
    return Factor(1, (place,), start, np.zeros(design.shape[1], dtype=int), multipliers, slots)


def _with_sigma(factor: Factor, spec: Spec, auxiliary: int) -> Factor:
    """The factor, where sigma stands being known."""
    own = factor.of_set
    if own is None or not own.own.by_sigma:
        return factor
    return replace(factor, terms=(replace(own, sigma=auxiliary + spec.scalars.index("sigma")),))


def _centred_slopes(factor: Factor, level: np.ndarray) -> Factor:
    """The factor's columns, less what they move thresholds by."""
    own = factor.of_set
    return factor if own is None else replace(factor, multipliers=factor.multipliers - (level @ own.back)[:, None])


def _monotonic(spec: Spec, first: int, hyperparameters: list[Hyperparameter]) -> tuple[MonotonicPlace, ...]:
    """Each monotonic effect's whole and sticks, its steps being coefficients from `first` on."""
    places: list[MonotonicPlace] = []
    for own in spec.monotonic:
        for effect, columns in enumerate(own.within):
            whole = len(hyperparameters)
            shares = sticks(spec.priors[own.shares_name][effect], len(columns))
            hyperparameters.append(Hyperparameter(own.name, effect, spec.priors[own.name][effect]))
            hyperparameters += [
                Hyperparameter(f"{own.shares_name}_offset", at, prior) for at, prior in enumerate(shares)
            ]
            places.append(MonotonicPlace(own, columns, whole, whole + 1, first))
            first += len(columns)
    return tuple(places)


def _slot(spec: Spec, block: Block) -> int:
    """The slot of the parameter in whose linear predictor a block stands."""
    return _slots(spec).index(block.parameter)


def _bounds(spec: Spec) -> np.ndarray:
    response = spec.cells.response
    if not isinstance(response, BoundedCells):
        return np.zeros((3, 0))
    return np.array([response.upper, *recorded(spec.family, response.least, response.most)])


def _offset(spec: Spec, rows: Observed) -> np.ndarray:
    """What offsets add to each linear predictor, shape ``(slots, rows)``."""
    offsets = np.zeros((len(_slots(spec)), len(rows)))
    for place, name in enumerate(_slots(spec)):
        if name in spec.predictors:
            offsets[place] = rows.offset(spec.predictors[name].offsets, name)
    return offsets


def _by_rows(spec: Spec, rows: Observed) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """What a kernel of rows takes: the response, its trials or other number, and how often the row counts."""
    match spec.cells.response:
        case BoundedCells(value=value, code=code, count=count):
            return value, code, count, 0.0, 0.0
        case BinomialCells(successes=successes, trials=trials):
            return successes, trials, np.ones(len(trials)), 0.0, 0.0
        case ValueCells(value=value, count=count):
            exposure = spec.shape_exposure(spec.cells.frame)
            return value, np.ones(len(value)) if exposure is None else exposure, count, 0.0, 0.0
        case PairCells(successes=successes, trials=trials, count=count):
            return successes, trials, count, 0.0, 0.0
        case ErrorCells(mean=value, error=error, count=count):
            return value, error, count, 0.0, 0.0
        case MeasuredCells(mean=mean, error=error):
            return mean, error, np.ones(len(mean)), 0.0, 0.0
        case RealCells(mean=mean, count=count, within=within):
            inner, none = rows.response, np.zeros(rows.response.size)
            squares = np.zeros(len(mean)) if len(inner) else within / count
            return (
                np.concatenate([mean, inner]), np.concatenate([squares, none]), np.concatenate([count, none + 1.0]),
                0.0, float(count.sum()),
            )  # fmt: skip
    raise TypeError(f"No kernel of rows takes {type(spec.cells.response).__name__}.")


def _response(spec: Spec, rows: Observed) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """What a row holds: the response, its size (trials, exposure, rows), its count, squares within, observations."""
    none = np.zeros(0)
    match spec.cells.response:
        case BinomialCells(successes=successes, trials=trials):
            return successes, trials, none, 0.0, 0.0
        case CountCells(total=total, exposure=exposure):
            return total, exposure, none, 0.0, 0.0
        case ValueCells(value=value, count=count):
            return value, count, none, 0.0, 0.0
        case PairCells(successes=successes, trials=trials, count=count):
            return successes, trials, count, 0.0, 0.0
        case MeasuredCells(mean=mean, precision=precision, count=count, within=within):
            return mean, precision, none, float(within.sum()), float(count.sum())
        case RealCells(mean=mean, count=count, within=within):
            inner = rows.response
            squares = 0.0 if len(inner) else float(within.sum())
            size = np.concatenate([count, np.ones(len(inner))])
            return np.concatenate([mean, inner]), size, none, squares, float(count.sum())
