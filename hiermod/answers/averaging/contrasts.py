"""Contrasts: which arms are compared with which, and on which scale. Plain functions of draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from hiermod.answers.averaging.columns import find_level, levels_of
from hiermod.answers.log_means import Logs
from hiermod.answers.scales import CONTRASTS, Scale
from hiermod.choices import PAIRINGS
from hiermod.data.columns.values import Level
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.functionals import Functional
from hiermod.families.record import Family
from hiermod.formula.parser import canonical
from hiermod.memory import NUMBER, refuse_beyond
from hiermod.modeling.protocol import ModelSpec

BALANCE = 1e-9  # weights of a contrast that add up to less than this add up to zero


@dataclass(frozen=True, eq=False)
class Pairing:
    """Weighted averages of arms that are compared with each other.

    Parameters
    ----------
    labels : tuple of str
        A name for each contrast.
    treated, control : ndarray, shape (contrasts, arms)
        The weights of both sides; each row adds up to one.
    size : ndarray, shape (contrasts,)
        What differences are multiplied by: the sum of the positive weights that were given, else one.
    """

    labels: tuple[str, ...]
    treated: np.ndarray
    control: np.ndarray
    size: np.ndarray

    def sides(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both sides of each contrast, of draws with shape ``(cells, arms, draws)``."""
        return _averaged(self.treated, draws), _averaged(self.control, draws)

    def contrast(self, draws: np.ndarray, scale: Scale) -> np.ndarray:
        """The contrasts of draws with shape ``(cells, arms, draws)``, on one scale.

        Draws in which the control of a relative scale is not above 0 count as infinite, on the side of the difference.
        """
        treated, control = self.sides(draws)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            result = scale.compare(treated, control)
        if scale.relative and (below := control <= 0.0).any():
            side = np.sign(treated - control)
            result = np.where(below, np.where(side == 0.0, scale.null, np.copysign(np.inf, side)), result)
        return result * self.size[:, None] if scale.additive else result

    def log_contrast(self, logs: Logs, scale: Scale) -> np.ndarray:
        """The logarithms of ratios, or of odds ratios, by those of the averages."""
        treated, control = logs.averaged(self.treated), logs.averaged(self.control)
        return treated.mean - control.mean if scale.relative else treated.order - control.order


def _averaged(weights: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Averages over arms; single arms are taken as they are."""
    single = weights.max(axis=1) == 1.0
    result = draws[:, weights.argmax(axis=1)]
    if not single.all():
        result[:, ~single] = np.einsum("ka,cad->ckd", weights[~single], draws)
    return result


def pair_arms(
    contrast: Any, levels: tuple[Level, ...], variable: str, control: Any = None, argument: str = "contrast"
) -> Pairing:
    """Read ``contrast=``, or another `argument`: a name of `PAIRINGS`, or weights of levels by names of contrasts.

    Raises
    ------
    AnswerError
        If there is no such pairing, level or control, or weights do not add up to zero.
    """
    if isinstance(contrast, Mapping):
        _refuse_control(control, "weights")
        return _weighted(contrast, levels, variable, argument)
    if not isinstance(contrast, str) or contrast not in PAIRINGS:
        raise AnswerError(
            f"{argument}={contrast!r}: {', '.join(map(repr, PAIRINGS))}, or weights of levels, such as "
            f"{{'name': {{{levels[-1]!r}: 1, {levels[0]!r}: -1}}}}."
        )
    count = len(levels)
    pairs = math.comb(count, 2) if contrast == "pairs" else count
    what = f"{pairs:,} contrasts of {count:,} levels of {variable}"
    remedy = f"name a few levels, as in {{{variable!r}: [{levels[0]!r}, {levels[-1]!r}]}}"
    refuse_beyond(NUMBER * (float(count) ** 2 + 2.0 * pairs * count), what, remedy, AnswerError)
    if contrast == "control":
        place = control_place(levels, variable, control)
        return _single([(other, place) for other in range(count) if other != place], levels)
    _refuse_control(control, contrast)
    if contrast == "pairs":
        return _single([(second, first) for first, second in combinations(range(count), 2)], levels)
    if contrast == "sequential":
        return _single([(place, place - 1) for place in range(1, count)], levels)
    mean = np.full((count, count), 1.0 / count)
    return Pairing(tuple(f"{level} vs mean" for level in levels), np.eye(count), mean, np.ones(count))


def contrast_name(contrast: Any) -> str:
    """What a pairing is called: ``weights`` where they are given."""
    return "weights" if isinstance(contrast, Mapping) else str(contrast)


def control_place(levels: tuple[Level, ...], variable: str, control: Any) -> int:
    """Where the control stands among the levels: the first, or the one asked for."""
    if control is None:
        return 0
    return levels.index(find_level(levels, control, f"{variable!r} has no level {control!r} to be the control."))


def control_of(spec: ModelSpec, variable: Any, control: Any) -> Level:
    """The level with which others are compared: the first one, or the one asked for."""
    if isinstance(variable, Mapping):
        ((name, values),) = variable.items()
        levels = tuple(values)
        return levels[control_place(levels, str(name), control)]
    levels = levels_of(spec, canonical(variable))
    return levels[control_place(levels, variable, control)]


def read_scale(scale: Any, family: Family, outcome: Functional) -> Scale:
    """Read ``scale=``; refuse odds of what is no chance."""
    if not isinstance(scale, str) or scale not in CONTRASTS:
        raise AnswerError(f"scale={scale!r}.{did_you_mean(str(scale), CONTRASTS)}")
    if scale == "odds_ratio" and not outcome.share:
        raise AnswerError(f"scale='odds_ratio' needs rates; family {family} has none. Say 'difference'.")
    return CONTRASTS[scale]


def _refuse_control(control: Any, contrast: str) -> None:
    if control is not None:
        raise AnswerError(f"control={control!r} belongs to contrast='control'; contrast={contrast!r} has no control.")


def _single(pairs: list[tuple[int, int]], levels: tuple[Level, ...]) -> Pairing:
    arms = np.eye(len(levels))
    treated, control = (list(side) for side in zip(*pairs, strict=True))
    labels = tuple(f"{levels[one]} vs {levels[other]}" for one, other in pairs)
    return Pairing(labels, arms[treated], arms[control], np.ones(len(pairs)))


def _weighted(contrasts: Mapping[Any, Any], levels: tuple[Level, ...], variable: str, argument: str) -> Pairing:
    if not contrasts:
        raise AnswerError(f"{argument}={{}}: no contrast is given.")
    rows = np.array([_weights(name, weights, levels, variable) for name, weights in contrasts.items()])
    size = rows.clip(min=0.0).sum(axis=1)
    treated, control = rows.clip(min=0.0) / size[:, None], (-rows).clip(min=0.0) / size[:, None]
    return Pairing(tuple(str(name) for name in contrasts), treated, control, size)


def _weights(name: Any, weights: Any, levels: tuple[Level, ...], variable: str) -> list[float]:
    if not isinstance(weights, Mapping):
        raise AnswerError(f"contrast {name!r}: a weight for each level is needed, such as {{{levels[0]!r}: -1, ...}}.")
    by_level = dict.fromkeys(levels, 0.0)
    for typed, weight in weights.items():
        level = find_level(levels, typed, f"contrast {name!r}: {variable!r} has no level {typed!r}.")
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number) or not np.isfinite(weight):
            raise AnswerError(f"contrast {name!r}: the weight of {typed!r} is {weight!r}, no finite number.")
        by_level[level] += float(weight)
    total, largest = sum(by_level.values()), max(map(abs, by_level.values()))
    if largest == 0.0:
        raise AnswerError(f"contrast {name!r}: all weights are 0, so nothing is compared.")
    if abs(total) > BALANCE * largest:
        raise AnswerError(f"contrast {name!r}: the weights add up to {total:g}; those of a contrast add up to 0.")
    return list(by_level.values())
