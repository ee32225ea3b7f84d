"""The density of a group's rows with its effects integrated out, as of a group that was never seen.

Gaussian rows of such a group are multivariate normal, in closed form; others are integrated by quadrature, factor by
factor; under ``pooling="beta"`` a group's rate is integrated out exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from hiermod.answers.group_effects import GroupsOfRows, Reading, TermEffects, covariance_factor, same_for_all
from hiermod.answers.reader import LinearReader, by_model, refuse_unseen
from hiermod.answers.scoring.integrated import IntegratedGroups, rows_of_groups
from hiermod.data.cells.observations import Members, Observations
from hiermod.data.cells.statistics import BinomialCells
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import AnswerError
from hiermod.families.ops import NUMPY
from hiermod.families.rates import log_rates
from hiermod.marginal.effects import PatternConditional
from hiermod.marginal.left_out import PatternRows
from hiermod.modeling.design import offset
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

SINH = {1: (2.0, 0.2, 12), 2: (2.5, 0.3, 7)}  # stretch, step, nodes on each side
HERMITE = {3: 7, 4: 5}  # nodes in each dimension
FEW_NODES = 3
MOST_DIMENSIONS = 6
STEPS, HALVINGS = 60, 15
LONGEST = 3.0  # step, in units of the normal's spread: far off, curvature says little about where the mode is
CLOSE = 0.02  # in units of the integrand's spread, off which the rule's centre may be
NEAR = 0.5  # the same, where steps that long lead downhill: at the top of a cliff
SETTLED = 0.05  # relative change of the spread, under which differences of its size are fine enough

LogDensity = Callable[[np.ndarray], np.ndarray]


def log_normal_integral(log_density: LogDensity, draws: int, dimensions: int) -> np.ndarray:
    """``log ∫ exp(log_density(z)) N(z; 0, I) dz`` in every draw, shape ``(draws,)``.

    Parameters
    ----------
    log_density : callable
        From points of shape ``(draws, dimensions)`` to logarithms of shape ``(draws,)``.
    """
    if not dimensions:
        return log_density(np.zeros((draws, 0)))

    def integrand(z: np.ndarray) -> np.ndarray:
        return log_density(z) - 0.5 * (z**2).sum(axis=1)

    centre, factor = _mode(integrand, draws, dimensions)
    total = np.full(draws, -np.inf)
    for node, log_weight in _rule(dimensions):
        np.logaddexp(total, log_weight + integrand(centre + factor @ node), out=total)
    return total + np.log(np.abs(np.einsum("dkk->dk", factor))).sum(axis=1)


def _rule(dimensions: int) -> list[tuple[np.ndarray, float]]:
    """Nodes, and logarithms of weights that divide by sqrt(2 pi) in each dimension."""
    if dimensions in SINH:
        stretch, step, side = SINH[dimensions]
        steps = step * np.arange(-side, side + 1)
        nodes = stretch * np.sinh(steps)
        logs = np.log(stretch * step * np.cosh(steps)) - 0.5 * np.log(2.0 * np.pi)
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(HERMITE.get(dimensions, FEW_NODES))
        logs = np.log(weights / weights.sum()) + 0.5 * nodes**2
    places = itertools.product(range(len(nodes)), repeat=dimensions)
    return [(nodes[list(place)], float(logs[list(place)].sum())) for place in places]


def _mode(integrand: LogDensity, draws: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """The mode in each draw, and a lower factor of the inverse curvature there, by damped Newton steps."""
    point, spread = np.zeros((draws, dimensions)), np.ones((draws, dimensions))
    factor = np.tile(np.eye(dimensions), (draws, 1, 1))
    value = integrand(point)
    for _ in range(STEPS):
        gradient, curvature = _derivatives(integrand, point, value, 0.1 * spread)
        factor, before = _inverse_factor(curvature), spread
        step = np.einsum("dij,dkj,dk->di", factor, factor, gradient)
        spread = np.sqrt((factor**2).sum(axis=2))
        off, change = np.abs(step / spread).max(axis=1), np.abs(spread / before - 1.0).max()
        step *= LONGEST / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), LONGEST)
        point, value, taken = _damped(integrand, point, value, step)
        still = np.abs(taken / spread).max(axis=1) < CLOSE
        if change < SETTLED and (still & (off < NEAR)).all():
            break
    return point, factor


def _damped(
    integrand: LogDensity, point: np.ndarray, value: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take each draw's step, halved where it would lead downhill; the point and value reached, and the step taken."""
    lowest = value - 1e-9 - 1e-12 * np.abs(value)
    for _ in range(HALVINGS):
        reached = integrand(point + step)
        worse = ~(reached >= lowest)
        if not worse.any():
            return point + step, reached, step
        step = np.where(worse[:, None], 0.5 * step, step)
    step = np.where(worse[:, None], 0.0, step)
    return point + step, np.where(worse, value, reached), step


def _derivatives(
    integrand: LogDensity, point: np.ndarray, value: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient, and minus the matrix of second derivatives, by central differences of `width`."""
    draws, dimensions = point.shape
    gradient, curvature = np.empty((draws, dimensions)), np.empty((draws, dimensions, dimensions))
    up, down = [], []
    for place in range(dimensions):
        move = np.zeros_like(point)
        move[:, place] = width[:, place]
        up.append(integrand(point + move))
        down.append(integrand(point - move))
        gradient[:, place] = (up[-1] - down[-1]) / (2.0 * width[:, place])
        curvature[:, place, place] = (2.0 * value - up[-1] - down[-1]) / width[:, place] ** 2
    for one, other in itertools.combinations(range(dimensions), 2):
        move = np.zeros_like(point)
        move[:, [one, other]] = width[:, [one, other]]
        both = integrand(point + move) + integrand(point - move) + 2.0 * value
        mixed = (both - up[one] - down[one] - up[other] - down[other]) / (2.0 * width[:, one] * width[:, other])
        curvature[:, one, other] = curvature[:, other, one] = -mixed
    return gradient, curvature


def _inverse_factor(curvature: np.ndarray) -> np.ndarray:
    """A lower factor L with ``L L'`` the inverse of a curvature, which is held positive."""
    values, vectors = np.linalg.eigh(np.where(np.isfinite(curvature), curvature, 0.0))
    inverse = (vectors / np.maximum(values, 0.1)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.linalg.cholesky(inverse)


MOST_AT_ONCE = 200  # effects, whose matrices take seconds; nested ones are integrated level by level
ALL = 1.0 - 1e-9  # of a level's rows, whose weights may be no whole numbers
LARGEST = 4_000_000  # numbers that a block of draws holds at once


class GroupDensity(Protocol):
    """Log densities of groups of observations under every draw of a posterior.

    Effects of levels that occur in the group alone are integrated over their population; those of other levels (of
    crossed factors) are the draws'.
    """

    def joint(self, group: Members) -> np.ndarray:
        """Log density of all of a group's observations together, in every draw."""

    def single(self, group: Members) -> np.ndarray:
        """Log density of each of a group's observations by itself, shape ``(observations, draws)``."""

    def alike(self, groups: Sequence[Members]) -> np.ndarray | None:
        """A number for each group, equal where all that is asked of them is; None where none are known to be alike.

        The observations of groups that are alike stand in the same order.
        """


def group_density(posterior: Posterior, seen: Observations, fitted: bool = True) -> GroupDensity:
    """The density of groups of some observations under a model, which was `fitted` to them, or without the group."""

    def linear(spec: Spec) -> GroupDensity:
        conditional, alone = posterior.conditional, len(posterior.drawn_terms) == len(spec.groups)
        rows = rows_of_groups(spec, seen) if isinstance(conditional, PatternConditional) else None
        if rows is None or not (fitted or alone):
            return LinearGroups(posterior, spec, seen)
        assert isinstance(conditional, PatternConditional)
        integrated = IntegratedGroups(PatternRows(conditional, rows), seen.times, fitted)
        return integrated if alone else ByPatterns(integrated, LinearGroups(posterior, spec, seen))

    return by_model(
        posterior.spec,
        linear=linear,
        pooled=lambda spec: PooledGroups(posterior, spec, seen),
    )


@dataclass(frozen=True, eq=False)
class ByPatterns:
    """Groups by the patterns of data of one factor, unless they hold all rows of a level of another factor."""

    by_patterns: IntegratedGroups
    by_effects: LinearGroups

    def joint(self, group: Members) -> np.ndarray:
        """As `GroupDensity.joint` says."""
        return self._own(group).joint(group)

    def single(self, group: Members) -> np.ndarray:
        """As `GroupDensity.single` says."""
        return self._own(group).single(group)

    def alike(self, groups: Sequence[Members]) -> np.ndarray | None:
        """As `GroupDensity.alike` says."""
        if any(self.by_effects.holds_levels(group) for group in groups):
            return None
        return self.by_patterns.alike(groups)

    def _own(self, group: Members) -> GroupDensity:
        return self.by_effects if self.by_effects.holds_levels(group) else self.by_patterns


@dataclass(frozen=True, eq=False)
class Occurrence:
    """The level of each observation, and how many rows have each level."""

    codes: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, grouping: Grouping, seen: Observations) -> Occurrence:
        """The levels of one factor."""
        codes = grouping.codes(seen.frame)[seen.place]
        return cls(codes, np.bincount(codes, seen.times, grouping.size))

    def new(self, group: Members) -> np.ndarray:
        """Whether each level occurs in the group alone."""
        inside = np.bincount(self.codes[group.places], group.times, len(self.rows))
        return np.asarray(inside >= ALL * self.rows)


@dataclass(frozen=True, eq=False)
class Unseen:
    """The effects of one factor on a group's rows: their levels (-1 where seen elsewhere too) and loadings.

    `loadings` turn standard normals into effects on each linear predictor, shape
    ``(predictors, draws, rows, dimensions)``.
    """

    levels: np.ndarray
    loadings: np.ndarray

    @property
    def new_levels(self) -> np.ndarray:
        """The levels that occur in the group alone."""
        return np.unique(self.levels[self.levels >= 0])


class LinearGroups:
    """Groups under a hierarchical generalized linear model."""

    def __init__(self, posterior: Posterior, spec: Spec, seen: Observations) -> None:
        if spec.family.link.is_bounded:
            refuse_unseen(spec)
        self._posterior, self._spec, self._seen = posterior, spec, seen
        self._typical = LinearReader(posterior, spec, same_for_all(spec, Reading.TYPICAL), exposed=True)
        self._occurrences = [Occurrence.of(term.grouping, seen) for term in spec.groups]
        self._stored = [not posterior.draws_effects(term) for term in spec.groups]

    def alike(self, _: Sequence[Members]) -> None:
        """None are known to be: effects of other levels are the draws'."""

    def holds_levels(self, group: Members) -> bool:
        """Whether some level of a factor whose effects are not drawn occurs in the group alone."""
        return any(own.new(group).any() for own, stored in zip(self._occurrences, self._stored, strict=True) if stored)

    def joint(self, group: Members) -> np.ndarray:
        """Log density of all of a group's observations together, in every draw."""
        rows = self._seen.chosen(group.places)
        base, unseen = self._parts(rows, group)
        if self._is_normal(unseen) and _count_effects(unseen) <= MOST_AT_ONCE:
            return _gaussian_joint(rows, group.times, base[0], self._sigma(base), [only_mean(own) for own in unseen])
        responses = Responses(self._spec, self._typical, rows, group.times)
        return _integrated(responses, np.arange(len(rows.frame)), base, _nested(unseen))

    def single(self, group: Members) -> np.ndarray:
        """Log density of each of a group's observations by itself, shape ``(observations, draws)``."""
        rows, family = self._seen.chosen(group.places), self._spec.family
        base, unseen = self._parts(rows, group)
        if self._is_normal(unseen):
            variance = sum(((own.loadings[0] * (own.levels >= 0)[:, None]) ** 2).sum(axis=2) for own in unseen)
            spread = np.sqrt(np.broadcast_to(variance, base[0].T.shape)).T
            return _gaussian_single(rows, base[0], self._sigma(base), spread)
        densities = np.empty((len(rows), base.shape[2]))
        exposure = self._spec.shape_exposure(rows.frame)
        for place, (row, response) in enumerate(zip(rows.place, rows.responses, strict=True)):
            factor = _joint_factor(unseen, row, base.shape[0], base.shape[2])

            def density(
                z: np.ndarray, row: int = row, response: np.ndarray = response, factor: np.ndarray = factor
            ) -> np.ndarray:
                own = self._typical.parameters(base[:, row] + np.einsum("psj,sj->ps", factor, z), _one(exposure, row))
                return family.observation_density(response, own.mu, own.others)

            densities[place] = log_normal_integral(density, base.shape[2], factor.shape[2])
        return densities

    def _is_normal(self, unseen: Sequence[Unseen]) -> bool:
        """Whether rows are normal given the draws: no effect of sigma is unseen."""
        return self._spec.family.statistic == "real" and not any(own.loadings[1:].any() for own in unseen)

    def _sigma(self, base: np.ndarray) -> np.ndarray:
        """Sigma of each row, or of all rows."""
        return self._typical.parameters(base, None).others[0]

    def _parts(self, rows: Observations, group: Members) -> tuple[np.ndarray, list[Unseen]]:
        """The linear predictors of the group's rows without unseen effects, and these."""
        base = self._typical.predictors(rows.frame)
        factors: dict[str, list[Unseen]] = {}
        for number, (term, occurrence) in enumerate(zip(self._spec.groups, self._occurrences, strict=True)):
            effects = TermEffects(self._posterior, term, number)
            designs = [effects.design(rows.frame, name) for name in self._spec.predictors]
            levels = term.grouping.codes(rows.frame)
            new = occurrence.new(group)[levels]
            for own, design in zip(base, designs, strict=True):
                if not new.all() and design is not None:
                    known = own[~new]
                    effects.add(known, GroupsOfRows(levels[~new]), design[~new])
                    own[~new] = known
            if new.any():
                factor = covariance_factor(self._posterior, term)
                none = np.zeros((len(factor), len(levels), factor.shape[2]))
                loadings = np.stack(
                    [none if design is None else np.einsum("rk,skj->srj", design, factor) for design in designs]
                )
                factors.setdefault(term.grouping.name, []).append(Unseen(np.where(new, levels, -1), loadings))
        return base, [
            Unseen(terms[0].levels, np.concatenate([term.loadings for term in terms], axis=3))
            for terms in factors.values()
        ]


def only_mean(unseen: Unseen) -> Unseen:
    """The loadings on the first linear predictor."""
    return Unseen(unseen.levels, unseen.loadings[0])


def _one(exposure: np.ndarray | None, row: int) -> float | None:
    return None if exposure is None else float(exposure[row])


def _joint_factor(unseen: Sequence[Unseen], row: int, predictors: int, draws: int) -> np.ndarray:
    """A factor of the covariance of a row's linear predictors, shape ``(predictors, draws, dimensions)``.

    As many dimensions as predictors vary.
    """
    own = [each.loadings[:, :, row] for each in unseen if each.levels[row] >= 0]
    if not own:
        return np.zeros((predictors, draws, 0))
    loadings = np.concatenate(own, axis=2)
    varying = np.flatnonzero(loadings.any(axis=(1, 2)))
    if len(varying) == 1:
        factor = np.zeros((predictors, draws, 1))
        factor[varying, :, 0] = np.sqrt((loadings[varying] ** 2).sum(axis=2))
        return factor
    values, vectors = np.linalg.eigh(np.einsum("psj,qsj->spq", loadings[varying], loadings[varying]))
    factor = np.zeros((predictors, draws, len(varying)))
    factor[varying] = np.moveaxis(vectors * np.sqrt(values.clip(min=0.0))[:, None, :], 1, 0)
    return factor


class PooledGroups:
    """Groups whose rates are drawn from one Beta or Gamma distribution."""

    def __init__(self, posterior: Posterior, spec: PooledSpec, seen: Observations) -> None:
        self._posterior, self._spec = posterior, spec
        self.occurrence = Occurrence.of(spec.grouping, seen)
        self.events = seen.responses[:, 0]
        if spec.pool.name == "beta":
            self.exposure, self._constants = seen.responses[:, 1], _log_ways(seen)
        else:
            log_exposure = offset(spec.formula.offsets, seen.frame)[seen.place]
            self.exposure = np.exp(log_exposure)
            self._constants = self.events * log_exposure - special.gammaln(self.events + 1.0)

    def alike(self, _: Sequence[Members]) -> None:
        """None are known to be."""

    def joint(self, group: Members) -> np.ndarray:
        """Log density of all of a group's observations together, in every draw."""
        levels, events, exposure, constant = self.totals(group)
        new = self.occurrence.new(group)[levels]
        mean, size = self._posterior.population(self._spec.stratum[levels[new]])
        total = constant + self._spec.pool.log_density(events[new], exposure[new], mean, size).sum(axis=1)
        if not new.all():
            rates = self._posterior.rates(levels[~new])
            total += self._spec.pool.log_likelihood(events[~new], exposure[~new], rates).sum(axis=1)
        return np.asarray(total)

    def totals(self, group: Members) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """The levels in a group, the events and exposure of each there, and what depends on the data alone."""
        places, times = group.places, group.times
        levels, place = np.unique(self.occurrence.codes[places], return_inverse=True)
        events, exposure = (
            np.bincount(place, times * own[places], len(levels)) for own in (self.events, self.exposure)
        )
        return levels, events, exposure, float(times @ self._constants[places])

    def single(self, group: Members) -> np.ndarray:
        """Refused: rates are integrated out."""
        raise AnswerError("pooled rates have no density of a row: leave groups out by the score 'joint'.")


class Responses:
    """Responses of a group's rows: their log density given the linear predictor, summed over rows."""

    def __init__(self, spec: Spec, model: LinearReader, rows: Observations, times: np.ndarray) -> None:
        self._family, self._model, self._observed, self._times = spec.family, model, rows, times
        self._exposure = spec.shape_exposure(rows.frame)
        self._summed = isinstance(spec.cells.response, BinomialCells)
        if self._summed:
            successes, trials = times * rows.responses.T
            size = len(rows.frame)
            self._successes = np.bincount(rows.place, successes, size)
            self._failures = np.bincount(rows.place, trials - successes, size)
            self._constants = np.bincount(rows.place, times * _log_ways(rows), size)

    def density(self, rows: np.ndarray, predictors: np.ndarray) -> np.ndarray:
        """Of the places `rows` of the frame, whose predictors have the shape ``(predictors, rows, draws)``."""
        if self._summed:
            success, failure = log_rates(NUMPY, self._family.linear(predictors[0]))
            return self._successes[rows] @ success + self._failures[rows] @ failure + self._constants[rows].sum()
        total = np.zeros(predictors.shape[2])
        where = np.searchsorted(rows, self._observed.place)
        for place, row in enumerate(where):
            if row < len(rows) and rows[row] == self._observed.place[place]:
                own = self._model.parameters(predictors[:, row], _one(self._exposure, rows[row]))
                density = self._family.observation_density(self._observed.responses[place], own.mu, own.others)
                total += self._times[place] * density
        return total


def _integrated(responses: Responses, rows: np.ndarray, predictors: np.ndarray, unseen: Sequence[Unseen]) -> np.ndarray:
    """The log density of some rows with unseen effects integrated out, the coarsest factor's outermost."""
    if not unseen:
        return responses.density(rows, predictors)
    first, rest = unseen[0], unseen[1:]
    total = np.zeros(predictors.shape[2])
    for level in np.unique(first.levels[rows]):
        inside = first.levels[rows] == level
        places, base = rows[inside], predictors[:, inside]
        if level < 0:
            total += _integrated(responses, places, base, rest)
            continue
        loadings = first.loadings[:, :, places]

        def density(
            z: np.ndarray, places: np.ndarray = places, base: np.ndarray = base, loadings: np.ndarray = loadings
        ) -> np.ndarray:
            return _integrated(responses, places, base + np.einsum("psrj,sj->prs", loadings, z), rest)

        total += log_normal_integral(density, predictors.shape[2], loadings.shape[3])
    return total


def _nested(unseen: Sequence[Unseen]) -> list[Unseen]:
    """Order factors so that each level lies within one level of the factors before it.

    Raises
    ------
    AnswerError
        If levels that occur in the group alone cross each other there, or a group has too many effects.
    """
    ordered = sorted(unseen, key=lambda factor: len(np.unique(factor.levels)))
    for factor in ordered:
        if factor.loadings.shape[3] > MOST_DIMENSIONS:
            raise AnswerError(
                f"A group has {factor.loadings.shape[3]} effects here, and at most {MOST_DIMENSIONS} can be "
                "integrated. Use method='kfold' with by=, which draws them."
            )
    for place, fine in enumerate(ordered):
        for coarse in ordered[:place]:
            for level in fine.new_levels:
                if len(np.unique(coarse.levels[fine.levels == level])) > 1:
                    raise AnswerError(
                        "Two factors cross each other within a group that is left out, and have levels in no other "
                        "one: their effects cannot be integrated one by one. Use method='kfold' with by=."
                    )
    return ordered


def _log_ways(rows: Observations) -> np.ndarray:
    successes, trials = rows.responses.T
    return np.asarray(NUMPY.log_choose(trials, successes))


def _gaussian_joint(
    rows: Observations, times: np.ndarray, predictor: np.ndarray, sigma: np.ndarray, unseen: Sequence[Unseen]
) -> np.ndarray:
    """Log density of rows together, in every draw, their effects ``Z u``, u standard normal, integrated out.

    The covariance of rows is ``Z Z' + sigma² W⁻¹``, W holding how often each counts; with ``A = I + Z' W Z / sigma²``,
    sigma being one number or one of each row, its inverse and determinant are those of A, as large as effects are many.

    Parameters
    ----------
    predictor : ndarray, shape (rows of ``rows.frame``, draws)
        The linear predictor without the effects that `unseen` has.
    """
    size = len(rows.frame)
    count = np.bincount(rows.place, times, size)
    mean = np.bincount(rows.place, times * rows.responses[:, 0], size) / count
    within = np.bincount(rows.place, times * (rows.responses[:, 0] - mean[rows.place]) ** 2, size)
    residual, precision = mean[:, None] - predictor, np.broadcast_to(sigma**-2.0, predictor.shape)
    total = -0.5 * (count @ np.log(2.0 * np.pi / precision) + (within[:, None] * precision).sum(axis=0))
    total -= 0.5 * (count @ (residual**2 * precision))
    for block, loadings in _loadings(unseen):
        weighted = loadings * (count[:, None] * precision[:, block]).T[:, :, None]
        inner = np.eye(loadings.shape[2]) + np.swapaxes(loadings, 1, 2) @ weighted
        factor = np.linalg.cholesky(inner)
        pull = np.linalg.solve(factor, np.einsum("srk,rs->sk", weighted, residual[:, block])[:, :, None])
        total[block] += 0.5 * (pull**2).sum(axis=(1, 2)) - np.log(np.einsum("skk->sk", factor)).sum(axis=1)
    return np.asarray(total)


def _gaussian_single(rows: Observations, predictor: np.ndarray, sigma: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log density of each observation by itself, whose effects have the standard deviation `spread` together."""
    variance = np.broadcast_to(sigma**2 + spread**2, predictor.shape)[rows.place]
    residual = rows.responses - predictor[rows.place]
    return np.asarray(-0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance))


def _count_effects(unseen: Sequence[Unseen]) -> int:
    """How many effects are not known: those of all levels."""
    return sum(factor.loadings.shape[-1] * len(factor.new_levels) for factor in unseen)


def _loadings(unseen: Sequence[Unseen]) -> Iterator[tuple[slice, np.ndarray]]:
    """Z in blocks of draws, shape ``(draws, rows, effects)``: each level's effects load on its own rows."""
    if not unseen:
        return
    draws, rows = unseen[0].loadings.shape[:2]
    by_level = [(factor.loadings, factor.levels == level) for factor in unseen for level in factor.new_levels]
    effects = _count_effects(unseen)
    step = max(1, LARGEST // (effects * (rows + effects)))
    for start in range(0, draws, step):
        block = slice(start, start + step)
        yield block, np.concatenate([loadings[block] * inside[:, None] for loadings, inside in by_level], axis=2)
