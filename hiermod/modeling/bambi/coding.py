"""Finds how Bambi codes the terms of a formula, which is not always as R does, and codes a spec in the same way.

Whether a factor of a term keeps all its levels depends on the other terms, by a rule of R's that formulae follows in
another way: of ``(f:h | g)`` it drops the reference levels, and it adds the term ``h`` to ``y ~ f:h``. Of each term
all ways of coding its factors are tried, until the columns are Bambi's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.data.columns.predictors import Factor, Predictor
from hiermod.formula.nodes import INTERCEPT
from hiermod.modeling.coding import Block, code_term
from hiermod.modeling.design import GroupEffect, common_of, effect_of
from hiermod.modeling.spec import Spec

CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Matched:
    """A term's columns in Bambi's order, and by what each is larger here than there (``scale(x)``)."""

    block: Block
    sizes: np.ndarray


def matched(
    block: Block, theirs: np.ndarray, named: Sequence[str], predictors: Mapping[str, Predictor], frame: pd.DataFrame
) -> Matched | None:
    """The term of a block coded as Bambi codes it; None where no coding gives its columns, which are `named` there."""
    wanted = theirs.reshape(len(frame), -1)
    for candidate in _codings(block, predictors):
        ours = candidate.matrix(frame)
        if ours.shape[1] != wanted.shape[1]:
            continue
        if (order := _order(ours, candidate.labels or (), wanted, named)) is not None:
            columns = tuple(candidate.columns[place] for place in order)
            labels = candidate.labels and tuple(candidate.labels[place] for place in order)
            return Matched(replace(candidate, columns=columns, labels=labels), _ratio(ours[:, order], wanted))
    return None


def _codings(block: Block, predictors: Mapping[str, Predictor]) -> Iterator[Block]:
    """R's coding first, then the others: factors have all their levels, or contrasts alone, or with their mean."""
    yield block
    if block.term == INTERCEPT:
        return
    factors = [name for name in block.term.variables if isinstance(predictors[name], Factor)]
    for ways in itertools.product(("full", "reduced", "mean"), repeat=len(factors)):
        full = {name for name, way in zip(factors, ways, strict=True) if way == "full"}
        averaged = {name for name, way in zip(factors, ways, strict=True) if way == "mean"}
        yield code_term(block.term, full, predictors, averaged)


def _order(ours: np.ndarray, labels: Sequence[str], theirs: np.ndarray, named: Sequence[str]) -> list[int] | None:
    """Which of our columns each of theirs is, but for its size; None where one is none of them.

    Of columns that are alike (0 in all rows, where levels do not meet), it is the one of the same name.
    """
    left, order = list(range(ours.shape[1])), []
    for number, column in enumerate(theirs.T):
        called = named[number] if number < len(named) else None
        first = sorted(left, key=lambda k: k < len(labels) and labels[k] != called)
        place = next((k for k in first if _proportional(ours[:, k], column)), None)
        if place is None:
            return None
        left.remove(place)
        order.append(place)
    return order


def _proportional(one: np.ndarray, other: np.ndarray) -> bool:
    scaled = _ratio(one[:, None], other[:, None]) * other
    return one.any() == other.any() and np.allclose(one, scaled, rtol=CLOSE, atol=CLOSE)


def _ratio(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The ratio of each column to Bambi's; 1 of one that is 0 in all rows."""
    squares = (theirs**2).sum(axis=0)
    return np.where(squares > 0.0, (ours * theirs).sum(axis=0) / np.where(squares > 0.0, squares, 1.0), 1.0)


def recoded(spec: Spec, blocks: Mapping[str, Block], effects: Mapping[str, Block]) -> Spec:
    """The spec with other columns: `blocks` of common terms, `effects` of group terms, by name."""
    cells = spec.cells
    common = common_of([blocks[block.name] for block in spec.common.blocks], spec.formula, cells)
    predictors = {**spec.predictors, "mu": replace(spec.predictors["mu"], common=common)}
    groups = tuple(
        replace(group, effects=_recoded(group.effects, effects, spec), correlated=False) for group in spec.groups
    )
    return replace(spec, predictors=predictors, groups=groups)


def _recoded(effects: Sequence[GroupEffect], blocks: Mapping[str, Block], spec: Spec) -> tuple[GroupEffect, ...]:
    return tuple(effect_of(effect.name, blocks[effect.name], spec.cells) for effect in effects)
