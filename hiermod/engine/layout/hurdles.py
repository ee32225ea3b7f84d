"""The two parts of a hurdle, what is above 0 and the share of zeros: problems of their own where they share nothing.

Zeros say nothing of what is above 0, and no parameter is of both parts, so that the posterior is the product of theirs,
unless effects of groups are correlated across them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hiermod.engine.layout.problem import Factor, Hyperparameter, Problem, SmoothPlace, TermPlace


def parts_of(problem: Problem) -> tuple[Problem, ...]:
    """What is above 0, and the share of zeros; the problem itself where it is no hurdle, or effects span both.

    Monotonic terms, whose steps stand apart from their coefficients, and sets of slopes stay in one problem.
    """
    if problem.shares_from < 0 or problem.monotonic or any(factor.of_set for factor in problem.factors):
        return (problem,)
    share = len(problem.spec.family.parameters)
    across = any(
        len(set((factor.slots[own.first : own.first + own.columns] == share).tolist())) > 1
        for factor in problem.factors
        for own in factor.plain
    )
    if across:
        return (problem,)
    slots, rows = np.arange(share + 1), len(problem.response)
    above = _part(problem, "above", slots[:-1], slice(0, problem.shares_from))
    return above, _part(problem, "zeros", slots[-1:], slice(problem.shares_from, rows))


def _part(problem: Problem, name: str, slots: np.ndarray, rows: slice) -> Problem:
    """The rows, coefficients and hyperparameters of the parameters in these slots."""
    columns = np.flatnonzero(np.isin(problem.common_slots, slots))
    linear = int((columns < problem.linear).sum())
    hyperparameters: list[Hyperparameter] = []
    factors: list[Factor] = []
    start = len(columns)
    for factor in problem.factors:
        kept = [own for own in factor.plain if factor.slots[own.first] in slots]
        if kept:
            factors.append(_factor(problem, factor, kept, start, rows, hyperparameters))
            start = factors[-1].span.stop
    before, own = problem.hyperparameters[: problem.auxiliary], problem.hyperparameters[problem.auxiliary :]
    bounded = [each for each in before if each.coefficient in columns]
    hyperparameters += [replace(each, coefficient=int(np.searchsorted(columns, each.coefficient))) for each in bounded]
    names = [own.name for own in problem.spec.family.single]
    size = len(problem.response)
    return replace(
        problem, part=name, design=np.ascontiguousarray(problem.design[columns, rows]), order=problem.order[columns],
        linear=linear, back=problem.back[:, columns],
        priors=tuple(problem.priors[column] for column in columns[:linear]), factors=tuple(factors),
        auxiliary=len(hyperparameters),
        hyperparameters=(*hyperparameters, *(each for each in own if names.index(each.name) + 1 in slots)),
        offset=problem.offset.reshape(-1, size)[:, rows].copy(), response=problem.response[rows],
        size=problem.size[rows], count=problem.count[rows], common_slots=problem.common_slots[columns],
        shares_from=problem.shares_from - rows.start,
    )  # fmt: skip


def _factor(
    problem: Problem, factor: Factor, kept: list[TermPlace | SmoothPlace], start: int, rows: slice,
    hyperparameters: list[Hyperparameter],
) -> Factor:  # fmt: skip
    """A factor with some of its terms, whose hyperparameters are added to the list."""
    places: list[TermPlace | SmoothPlace] = []
    columns: list[int] = []
    for own in kept:
        sds = slice(own.sds, own.sds + (own.columns if own.step else 1))
        moved = replace(own, first=len(columns), sds=len(hyperparameters))
        hyperparameters += problem.hyperparameters[sds]
        if own.partial >= 0:
            moved = replace(moved, partial=len(hyperparameters))
            pairs = own.columns * (own.columns - 1) // 2
            hyperparameters += problem.hyperparameters[own.partial : own.partial + pairs]
        places.append(moved)
        columns += range(own.first, own.first + own.columns)
    return Factor(factor.groups, tuple(places), start, factor.codes[rows],
                  np.ascontiguousarray(factor.multipliers[columns][:, rows]), factor.slots[columns])  # fmt: skip
