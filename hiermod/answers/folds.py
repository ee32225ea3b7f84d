"""Folds: which rows are left out together."""

from __future__ import annotations

import numpy as np

from hiermod.errors import AnswerError


def random_folds(
    times: np.ndarray, count: int, rng: np.random.Generator, strata: np.ndarray | None = None
) -> np.ndarray:
    """Share rows among folds of equal size, shape ``(observations, folds)``: how many rows of each go to each fold.

    Equal rows are not told apart: each fold's share of them is a multivariate hypergeometric draw from those that are
    left. Rows of a stratum are spread evenly over the folds, and the rows that remain go to folds in random turns.
    """
    strata = np.zeros(len(times), dtype=np.int64) if strata is None else strata
    shares = np.zeros((len(times), count), dtype=np.int64)
    turn = rng.permutation(count)  # of the folds whose turn is still to come, so that all stay equal in size
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        left = times[own].astype(np.int64)
        each, more = divmod(int(left.sum()), count)
        larger, turn = _next(turn, more, count, rng)
        sizes = np.full(count, each)
        sizes[larger] += 1
        for fold in range(count):
            drawn = rng.multivariate_hypergeometric(left, sizes[fold], method="marginals")
            shares[own, fold] = drawn
            left -= drawn
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
