"""What folds and groups are expected to be by fits of the others, on cells."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from hiermod.answers.reader import by_model
from hiermod.answers.scoring.exact_scores import ExactScores
from hiermod.answers.scoring.group_density import GroupDensity, group_density
from hiermod.answers.scoring.held_out import Refit, Runs
from hiermod.answers.scoring.leave_one_out import good_k, log_weights, relative_efficiency, worst
from hiermod.data.cells.observations import Members, Observations
from hiermod.data.columns.values import first_of
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior


def folds_of(posterior: Posterior, seen: Observations, shares: np.ndarray) -> list[tuple[Refit, Observations]]:
    """The fits of all folds, and what each leaves out; `shares` says how many rows of each observation that is."""
    return [
        (Refit.without(posterior, seen, share, (2, fold)), seen.chosen(np.flatnonzero(share)))
        for fold, share in enumerate(shares.T)
    ]


@dataclass(frozen=True, eq=False)
class GroupScores:
    """Scores of each group left out; `troubled` fits without a group have divergences or have not converged.

    If they are `exact`, they come from integrals without each group, and no draws.

    `joint` and `rows` (of each observation, in the order of the groups' places) are log predictive densities, `p` how
    much more the model expects of groups that it was fitted to.
    """

    joint: np.ndarray
    rows: tuple[np.ndarray, ...]
    p: float
    pareto_k: np.ndarray
    refitted: np.ndarray
    good: float
    troubled: int
    exact: bool = False

    @property
    def unreliable(self) -> np.ndarray:
        """Which groups are not reliable."""
        return ~(self.pareto_k <= self.good) & ~self.refitted

    def details(self) -> pd.DataFrame:
        """How each group was left out."""
        columns = {"pareto_k": self.pareto_k, "refitted": self.refitted, "unreliable": self.unreliable}
        return pd.DataFrame(columns)


def leave_groups_out(
    posterior: Posterior, seen: Observations, groups: Sequence[Members], called: Sequence[str], single: bool,
    max_refits: int, runs: Runs,
) -> GroupScores:  # fmt: skip
    """Leave out each group in turn: by importance sampling, and by a fit without it where that is not reliable.

    With `single`, each row of a group is scored by itself as well. Pooled rates are integrated anew instead.

    Raises
    ------
    AnswerError
        If without a group, which is `called` so, there is no posterior.
    """
    return by_model(
        posterior.spec,
        linear=lambda _: _by_draws(posterior, seen, groups, single, max_refits, runs),
        pooled=lambda spec: _by_integrals(ExactScores(posterior, spec, seen), groups, called, single),
    )


def _by_integrals(
    scores: ExactScores, groups: Sequence[Members], called: Sequence[str], single: bool
) -> GroupScores:  # fmt: skip
    for group, name in zip(groups, called, strict=True):
        scores.refuse_improper(group, name)
    count = len(groups)
    even, none = np.full(count, -np.inf), (np.empty(0),) * count
    if single:
        found = [scores.single(group) for group in groups]
        p = sum((known - elpd) @ group.times for (elpd, known), group in zip(found, groups, strict=True))
        rows = tuple(elpd for elpd, _ in found)
        return GroupScores(np.full(count, np.nan), rows, float(p), even, np.ones(count, dtype=bool), np.inf, 0, True)
    joint, known = np.array([scores.joint(group) for group in groups]).T
    return GroupScores(joint, none, float((known - joint).sum()), even, np.ones(count, dtype=bool), np.inf, 0, True)


def _by_draws(
    posterior: Posterior, seen: Observations, groups: Sequence[Members], single: bool, max_refits: int, runs: Runs
) -> GroupScores:
    of_groups = [(group.places.tolist(), group.times.tolist()) for group in groups]
    found = runs.once(
        posterior, "groups", seen, lambda: _by_weights(posterior, seen, groups, single), single, of_groups
    )
    joint, in_sample, pareto_k = (numbers.copy() for numbers in found[:3])
    rows = (
        np.split(found[3], np.cumsum([len(group.places) for group in groups])[:-1])
        if single
        else [found[3]] * len(groups)
    )
    good, refitted = good_k(posterior.size), np.zeros(len(groups), dtype=bool)
    bad = worst(pareto_k, good)[:max_refits]
    tasks = [
        (Refit.without(posterior, seen, groups[place].among(seen), (3, int(place))), groups[place], single)
        for place in bad
    ]
    troubled, kind = 0, "rows-of-group" if single else "group"
    for place, (elpd, of_rows, clean) in zip(bad, runs.each(_score_group, tasks, kind, "refits"), strict=True):
        joint[place], rows[place], refitted[place] = elpd, of_rows, True
        troubled += not clean
    total = sum(elpd @ group.times for elpd, group in zip(rows, groups, strict=True)) if single else joint.sum()
    return GroupScores(joint, tuple(rows), float(in_sample.sum() - total), pareto_k, refitted, good, troubled)


def _by_weights(
    posterior: Posterior, seen: Observations, groups: Sequence[Members], single: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """By importance sampling, the score of each group, what the model expects of it having seen it, and Pareto k.

    With `single` also the scores of the rows of all groups, one after another.
    """
    density, efficiency, draws = group_density(posterior, seen), relative_efficiency(posterior), posterior.size
    even, kinds = np.full(draws, -np.log(draws)), density.alike(groups)
    kinds = np.arange(len(groups)) if kinds is None else pd.factorize(kinds)[0]
    first = first_of(kinds)
    joint, in_sample, pareto_k = np.empty((3, len(first)))
    rows = []
    for place, group in enumerate(groups[number] for number in first.tolist()):
        together = density.joint(group)
        weights, pareto_k[place] = log_weights(together, efficiency)
        joint[place] = special.logsumexp(weights + together)
        if single:
            rows.append(_rows(density, group, weights))
        in_sample[place] = _rows(density, group, even) @ group.times if single else special.logsumexp(together + even)
    every = [np.empty(0), *(rows[kind] for kind in kinds.tolist())] if single else [np.empty(0)]
    return joint[kinds], in_sample[kinds], pareto_k[kinds], np.concatenate(every)


def _score_group(task: tuple[Refit, Members, bool]) -> tuple[float, np.ndarray, bool]:
    """Log predictive densities of a group that a fit leaves out, and whether the fit is clean."""
    refit, group, single = task
    posterior = refit.run()
    density, even = group_density(posterior, refit.seen, fitted=False), -np.log(posterior.size)
    joint = float(special.logsumexp(density.joint(group)) + even)
    return joint, _rows(density, group, even) if single else np.empty(0), posterior.diagnostics.clean


def _rows(density: GroupDensity, group: Members, weights: np.ndarray | float) -> np.ndarray:
    return np.asarray(special.logsumexp(weights + density.single(group), axis=1))


def members(codes: np.ndarray, times: np.ndarray, place: np.ndarray, count: int) -> list[Members]:
    """The members of each group, given the group of each joint row, how often it counts and its own observation."""
    result = []
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(count + 1))
    for start, end in itertools.pairwise(bounds):
        rows = order[start:end]
        places, inverse = np.unique(place[rows], return_inverse=True)
        result.append(Members(places, np.bincount(inverse, times[rows]).astype(times.dtype)))
    return result


def random_folds(
    times: np.ndarray, count: int, rng: np.random.Generator, strata: np.ndarray | None = None
) -> np.ndarray:
    """Share rows among folds of equal size, shape ``(observations, folds)``: how many rows of each go to each fold.

    Equal rows are not told apart: each fold's share of them is a multivariate hypergeometric draw from those that
    remain. Rows of a stratum are spread evenly over the folds, and the rows that remain go to folds in random turns.
    """
    strata = np.zeros(len(times), dtype=np.int64) if strata is None else strata
    shares = np.zeros((len(times), count), dtype=np.int64)
    turn = rng.permutation(count)  # of the folds whose turn is still to come, so that all stay equal in size
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        remaining = times[inside].astype(np.int64)
        each, more = divmod(int(remaining.sum()), count)
        larger, turn = _next(turn, more, count, rng)
        sizes = np.full(count, each)
        sizes[larger] += 1
        for fold in range(count):
            drawn = rng.multivariate_hypergeometric(remaining, sizes[fold], method="marginals")
            shares[inside, fold] = drawn
            remaining -= drawn
    return shares


def _next(turn: np.ndarray, many: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many different folds whose turn it is, and those whose turn is still to come."""
    if len(turn) < many:
        again = rng.permutation(count)
        turn = np.concatenate([turn, again[np.argsort(np.isin(again, turn), kind="stable")]])
    return turn[:many], turn[many:]


def grouped_folds(times: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Folds of whole groups, as equal in rows as that allows: large groups first, each to the smallest fold."""
    rows = np.bincount(groups, times)
    order = rng.permutation(len(rows))
    order = order[np.argsort(-rows[order], kind="stable")]
    fold_of, sizes = np.zeros(len(rows), dtype=np.int64), np.zeros(count)
    for group in order:
        fold_of[group] = sizes.argmin()
        sizes[fold_of[group]] += rows[group]
    shares = np.zeros((len(times), count), dtype=np.int64)
    shares[np.arange(len(times)), fold_of[groups]] = times
    return shares


def check_folds(count: object, available: int, what: str) -> int:
    """Refuse a number of folds that cannot be."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 2 <= int(count) <= available:
        raise AnswerError(
            f"k={count!r}: a whole number of folds from 2 to {available:,}, the number of {what}, is needed."
        )
    return int(count)
