"""The density of a group's rows with its effects integrated out, as of a group that was never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from hiermod.answers.group_effects import GroupsOfRows, Reading, TermEffects, covariance_factor, same_for_all
from hiermod.answers.reader import reader
from hiermod.answers.scoring.gaussian_groups import count_effects, log_joint, log_single
from hiermod.answers.scoring.quadrature import MOST_DIMENSIONS, log_normal_integral
from hiermod.data.cells.observations import Observations
from hiermod.data.cells.statistics import BinomialCells
from hiermod.data.columns.predictors import Grouping
from hiermod.errors import AnswerError
from hiermod.families.ops import NUMPY
from hiermod.families.rates import log_rates
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.pooled import MEAN, SPREAD, BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

MOST_AT_ONCE = 200  # effects, whose matrices take seconds; nested ones are integrated level by level
ALL = 1.0 - 1e-9  # of a level's rows, whose weights may be no whole numbers


@dataclass(frozen=True, eq=False)
class Unseen:
    """The effects of one factor on a group's rows: their levels (-1 where seen elsewhere too) and loadings.

    `loadings` turn standard normals into effects on the link scale, shape ``(draws, rows, dimensions)``.
    """

    levels: np.ndarray
    loadings: np.ndarray


class GroupDensity:
    """Densities of groups of observations under the draws of a posterior.

    Effects of levels that occur in the group alone are integrated over their normal population; those of other levels
    (of crossed factors) are the draws'.
    """

    def __init__(self, posterior: Posterior, seen: Observations) -> None:
        self._posterior, self._seen, self._spec = posterior, seen, posterior.spec
        self._draws = int(np.prod(posterior.shape))
        groupings = _groupings(posterior.spec)
        self._codes = [grouping.codes(seen.frame)[seen.place] for grouping in groupings]
        self._totals = [
            np.bincount(codes, seen.times, grouping.size)
            for codes, grouping in zip(self._codes, groupings, strict=True)
        ]

    def joint(self, places: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Log density of all of a group's observations together, each counted `times`, in every draw."""
        left = self._seen.chosen(places)
        if isinstance(self._spec, BetaSpec):
            return self._beta(self._spec, left, places, times)
        base, unseen = self._parts(self._spec, left, places, times)
        if self._spec.family.statistic == "real" and count_effects(unseen) <= MOST_AT_ONCE:
            return log_joint(left, times, base, self._posterior.values("sigma"), unseen)
        rows = Rows(self._spec, self._posterior, left, times)
        return _integrated(rows, np.arange(len(left.frame)), base, _nested(unseen))

    def single(self, places: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Log density of each of a group's observations by itself, shape ``(observations, draws)``."""
        left = self._seen.chosen(places)
        if isinstance(self._spec, BetaSpec):
            raise AnswerError("pooling='beta' has no density of a row: leave groups out by the score 'joint'.")
        spec = self._spec
        base, unseen = self._parts(spec, left, places, times)
        variance = sum(((own.loadings * (own.levels >= 0)[:, None]) ** 2).sum(axis=2) for own in unseen)
        spread = np.sqrt(np.broadcast_to(variance, (self._draws, len(left.frame)))).T
        auxiliary = [self._posterior.values(name) for name in spec.family.auxiliary]
        if spec.family.statistic == "real":
            return log_single(left, base, auxiliary[0], spread)
        found = np.empty((len(left), self._draws))
        for place, (row, response) in enumerate(zip(left.place, left.responses, strict=True)):

            def density(z: np.ndarray, row: int = row, response: np.ndarray = response) -> np.ndarray:
                predictor = base[row] + (spread[row, :, None] * z).sum(axis=1)
                return spec.family.observation_density(response, predictor, auxiliary)

            found[place] = log_normal_integral(density, self._draws, int(spread[row].any()))
        return found

    def _parts(
        self, spec: Spec, left: Observations, places: np.ndarray, times: np.ndarray
    ) -> tuple[np.ndarray, list[Unseen]]:
        """The linear predictor of the group's rows without unseen effects, and these."""
        frame = left.frame
        base = reader(self._posterior, same_for_all(spec, Reading.TYPICAL), exposed=True).parameters(frame)["mu"]
        factors: dict[str, list[Unseen]] = {}
        for number, (term, codes, totals) in enumerate(zip(spec.groups, self._codes, self._totals, strict=True)):
            effects = TermEffects(self._posterior, term, number)
            design = effects.design(frame)
            own = np.bincount(codes[places], times, len(totals))
            levels = term.grouping.codes(frame)
            new = own[levels] >= ALL * totals[levels]
            if not new.all():
                known = base[~new]
                effects.add(known, GroupsOfRows(levels[~new]), design[~new])
                base[~new] = known
            if new.any():
                factors.setdefault(term.grouping.name, []).append(self._unseen(term, design, np.where(new, levels, -1)))
        merged = [
            Unseen(terms[0].levels, np.concatenate([own.loadings for own in terms], axis=2))
            for terms in factors.values()
        ]
        return base, merged

    def _unseen(self, term: GroupDesign, design: np.ndarray, levels: np.ndarray) -> Unseen:
        factor = covariance_factor(self._posterior, term)
        return Unseen(levels, np.einsum("rk,skj->srj", design, factor))

    def _beta(self, spec: BetaSpec, left: Observations, places: np.ndarray, times: np.ndarray) -> np.ndarray:
        size = self._posterior.values(SPREAD) ** -2
        a, b = self._posterior.values(MEAN) * size, (1.0 - self._posterior.values(MEAN)) * size
        codes = self._codes[0][places]
        successes, trials = left.responses.T
        total = np.full(self._draws, _constant(left, times))
        for level in np.unique(codes):
            own = codes == level
            s, n = (times * successes)[own].sum(), (times * trials)[own].sum()
            if times[own].sum() >= ALL * self._totals[0][level]:
                total += special.betaln(a + s, b + n - s) - special.betaln(a, b)
            else:
                rate = self._posterior.values(spec.rate_name)[:, level]
                total += special.xlogy(s, rate) + special.xlog1py(n - s, -rate)
        return total


class Rows:
    """Responses of a group's rows: their log density given the linear predictor, summed over rows."""

    def __init__(self, spec: Spec, posterior: Posterior, left: Observations, times: np.ndarray) -> None:
        self._family, self._left, self._times = spec.family, left, times
        self._auxiliary = [posterior.values(name) for name in spec.family.auxiliary]
        self._summed = isinstance(spec.cells.response, BinomialCells)
        if self._summed:
            successes, trials = (times * left.responses.T).reshape(2, -1)
            rows = len(left.frame)
            self._successes = np.bincount(left.place, successes, rows)
            self._failures = np.bincount(left.place, trials - successes, rows)
            self._constants = np.bincount(left.place, times * _log_ways(left), rows)

    def density(self, rows: np.ndarray, predictor: np.ndarray) -> np.ndarray:
        """Of the places `rows` of the frame, whose predictor has the shape ``(rows, draws)``."""
        if self._summed:
            success, failure = log_rates(NUMPY, self._family.linear(predictor))
            return self._successes[rows] @ success + self._failures[rows] @ failure + self._constants[rows].sum()
        total = np.zeros(predictor.shape[1])
        where = np.searchsorted(rows, self._left.place)
        for place, row in enumerate(where):
            if row < len(rows) and rows[row] == self._left.place[place]:
                own = self._family.observation_density(self._left.responses[place], predictor[row], self._auxiliary)
                total += self._times[place] * own
        return total


def _integrated(rows: Rows, own: np.ndarray, predictor: np.ndarray, unseen: Sequence[Unseen]) -> np.ndarray:
    """The log density of the places `own` with unseen effects integrated out, the coarsest factor's outermost."""
    if not unseen:
        return rows.density(own, predictor)
    first, rest = unseen[0], unseen[1:]
    total = np.zeros(predictor.shape[1])
    for level in np.unique(first.levels[own]):
        inside = first.levels[own] == level
        places, base = own[inside], predictor[inside]
        if level < 0:
            total += _integrated(rows, places, base, rest)
            continue
        loadings = first.loadings[:, places]

        def density(
            z: np.ndarray, places: np.ndarray = places, base: np.ndarray = base, loadings: np.ndarray = loadings
        ) -> np.ndarray:
            return _integrated(rows, places, base + np.einsum("srj,sj->rs", loadings, z), rest)

        total += log_normal_integral(density, predictor.shape[1], loadings.shape[2])
    return total


def _nested(unseen: Sequence[Unseen]) -> list[Unseen]:
    """Order factors so that each level lies within one level of the factors before it.

    Raises
    ------
    AnswerError
        If levels that occur in the group alone cross each other there, or a group has too many effects.
    """
    ordered = sorted(unseen, key=lambda own: len(np.unique(own.levels)))
    for own in ordered:
        if own.loadings.shape[2] > MOST_DIMENSIONS:
            raise AnswerError(
                f"A group has {own.loadings.shape[2]} effects here, and at most {MOST_DIMENSIONS} can be integrated. "
                "Use method='kfold' with by=, which draws them."
            )
    for place, fine in enumerate(ordered):
        for coarse in ordered[:place]:
            for level in np.unique(fine.levels[fine.levels >= 0]):
                if len(np.unique(coarse.levels[fine.levels == level])) > 1:
                    raise AnswerError(
                        "Two factors cross each other within a group that is left out, and have levels in no other "
                        "one: their effects cannot be integrated one by one. Use method='kfold' with by=."
                    )
    return ordered


def _groupings(spec: Spec | BetaSpec) -> list[Grouping]:
    return [spec.grouping] if isinstance(spec, BetaSpec) else [term.grouping for term in spec.groups]


def _log_ways(left: Observations) -> np.ndarray:
    successes, trials = left.responses.T
    return np.asarray(NUMPY.log_choose(trials, successes))


def _constant(left: Observations, times: np.ndarray) -> float:
    return float(times @ _log_ways(left))
