"""Functions that make factors: ``factor``, ``ordered``, ``cut``, ``relevel``, ``C``; and contrasts of their levels."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from hiermod.data.columns.bases import apply_poly, learn_poly
from hiermod.data.columns.levels import encode, match_level
from hiermod.data.columns.values import Level, Leveled, Values
from hiermod.errors import DataError, did_you_mean, enumerate_names

CODINGS = ("treatment", "sum", "helmert", "poly")


def contrast_matrix(coding: str, count: int) -> np.ndarray:
    """R's contrasts of a factor with `count` levels, shape ``(count, count - 1)``."""
    rows, columns = np.indices((count, count - 1))
    if coding == "sum":
        return np.where(rows == count - 1, -1.0, (rows == columns).astype(float))
    if coding == "helmert":
        return np.where(rows <= columns, -1.0, np.where(rows == columns + 1, columns + 1.0, 0.0))
    if coding == "poly":
        scores = np.arange(1.0, count + 1)
        return apply_poly(scores, learn_poly(scores, np.ones(count), count - 1))
    return (rows == columns + 1).astype(float)


def contrast_labels(coding: str, levels: tuple[Level, ...]) -> list[str]:
    """What the columns of `contrast_matrix` are called: levels, numbers, or L, Q, C, ^4 of polynomials."""
    if coding == "treatment":
        return [str(level) for level in levels[1:]]
    if coding == "poly":
        return ["L", "Q", "C", *(f"^{power}" for power in range(4, len(levels)))][: len(levels) - 1]
    return [str(number) for number in range(1, len(levels))]


def as_leveled(name: str, values: Any) -> Leveled:
    """Read a column, or what another function made, as a factor."""
    if isinstance(values, Leveled):
        return values
    return (values if isinstance(values, Values) else Values(name, pd.Series(values))).leveled


def learn_factor(name: str, values: Any, levels: Any = None, labels: Any = None) -> dict[str, Any]:
    """The levels of ``factor(x)``, in order, and what they are called."""
    occurring = as_leveled(name, values).levels
    kept = occurring if levels is None else tuple(_found(level, occurring) for level in _listed(levels))
    named = list(kept) if labels is None else _listed(labels)
    if len(named) != len(kept):
        raise DataError(f"{name}: {len(named)} labels for {len(kept)} levels.")
    _refuse_repeated(name, named)
    missing = [level for level in occurring if level not in kept]
    if missing:
        raise DataError(f"{name}: levels= leaves out {enumerate_names(missing, 4)}, which occur. List every level.")
    return {"levels": list(kept), "labels": named}


def apply_factor(name: str, values: Any, state: dict[str, Any], coding: str = "treatment") -> Leveled:
    """Code values by the learned levels."""
    given = as_leveled(name, values)
    codes = encode(pd.Series([given.levels[code] for code in given.codes], dtype=object), tuple(state["levels"]))
    if (codes < 0).any():
        unknown = given.levels[given.codes[int(np.flatnonzero(codes < 0)[0])]]
        raise DataError(
            f"{name} holds {str(unknown)!r}, a level that the fitted data did not have."
            f"{did_you_mean(str(unknown), state['levels'])}"
        )
    return Leveled(codes, tuple(state["labels"]), given.coding if coding == "treatment" else coding)


def relevel(name: str, values: Any, ref: Any) -> Leveled:
    """Put one level first, as the reference."""
    given = as_leveled(name, values)
    if given.coding == "poly":
        raise DataError(
            f"{name}: the levels are ordered, so none is a reference. C({name}, treatment) takes the first."
        )
    first = _place(name, ref, given.levels)
    order = [first, *(code for code in range(len(given.levels)) if code != first)]
    place = np.argsort(order)
    return Leveled(place[given.codes], tuple(given.levels[code] for code in order))


def _place(name: str, ref: Any, levels: tuple[Level, ...]) -> int:
    """Where the reference stands: a number counts levels from 1, as in R; a text names one."""
    if isinstance(ref, int) and not isinstance(ref, bool):
        if 1 <= ref <= len(levels):
            return ref - 1
        raise DataError(f"{name}: there is no level number {ref}; there are {len(levels)}. A text names a level.")
    return levels.index(_match(name, ref, levels))


def contrasted(name: str, values: Any, contr: Any = "treatment") -> Leveled:
    """Choose the contrasts of a factor."""
    if contr not in CODINGS:
        raise DataError(f"{name}: there are no contrasts {contr!r}. There are {', '.join(CODINGS)}.")
    return replace(as_leveled(name, values), coding=contr)


def learn_cut(name: str, x: np.ndarray, breaks: Any, labels: Any = None, right: Any = True, **others: Any) -> Any:
    """The intervals of R's ``cut``: as many of equal width, or those between given breaks."""
    lowest = others.get("include.lowest", False)
    if isinstance(breaks, list):
        edges = np.unique([float(edge) for edge in breaks])
    else:
        count = int(breaks)
        if count != breaks or not 2 <= count <= 100:
            raise DataError(f"{name}: breaks is a number of intervals from 2 to 100, or a list: c(0, 10, 20).")
        if np.ptp(x) == 0.0:
            raise DataError(f"{name}: there is one value, {x[0]:g}, so that nothing can be cut. Leave it out.")
        edges = np.linspace(x.min(), x.max(), count + 1)
        edges[[0, -1]] = x.min() - np.ptp(x) / 1000.0, x.max() + np.ptp(x) / 1000.0
    if len(edges) < 3:
        raise DataError(f"{name}: at least three different breaks are needed, for two intervals.")
    named = _interval_names(edges, bool(right), bool(lowest)) if labels is None else _listed(labels)
    if len(named) != len(edges) - 1:
        raise DataError(f"{name}: {len(named)} labels for {len(edges) - 1} intervals.")
    _refuse_repeated(name, named)
    return {"edges": edges.tolist(), "labels": named, "right": bool(right), "lowest": bool(lowest)}


def apply_cut(name: str, x: np.ndarray, state: dict[str, Any]) -> Leveled:
    """The interval of each value; one outside of all is refused."""
    edges = np.array(state["edges"])
    codes = np.searchsorted(edges, x, side="left" if state["right"] else "right") - 1
    if state["lowest"]:
        codes = np.where(x == edges[0] if state["right"] else x == edges[-1], codes.clip(0, len(edges) - 2), codes)
    return coded(name, codes, state, x)


def engine_cut(x: nw.Expr, state: dict[str, Any]) -> nw.Expr:
    """The number of the interval that each value falls into, by an engine; outside of all it is -1 or too large."""
    edges = state["edges"]
    above = [x > edge if state["right"] else x >= edge for edge in edges]
    if state["lowest"]:
        place = 0 if state["right"] else -1
        above[place] = x >= edges[0] if state["right"] else x > edges[-1]
    return sum((passed.cast(nw.Int64()) for passed in above[1:]), above[0].cast(nw.Int64())) - 1


def coded(name: str, codes: np.ndarray, state: dict[str, Any], x: np.ndarray | None = None) -> Leveled:
    """The levels of intervals by their numbers; a value outside of all is refused."""
    outside = np.flatnonzero((codes < 0) | (codes >= len(state["labels"])))
    if len(outside):
        value = "a value" if x is None else f"{x[outside[0]]:g}"
        raise DataError(f"{name}: {value} is in none of the intervals {', '.join(state['labels'])}. Widen the breaks.")
    return Leveled(codes, tuple(state["labels"]))


def _interval_names(edges: np.ndarray, right: bool, lowest: bool) -> list[str]:
    texts = next(
        (
            texts
            for digits in range(3, 17)
            if len(set(texts := [f"{edge:.{digits}g}".replace("inf", "Inf") for edge in edges])) == len(edges)
        ),
        [repr(float(edge)) for edge in edges],
    )
    left, end = ("(", "]") if right else ("[", ")")
    names = [f"{left}{low},{high}{end}" for low, high in itertools.pairwise(texts)]
    if lowest and right:
        names[0] = "[" + names[0][1:]
    if lowest and not right:
        names[-1] = names[-1][:-1] + "]"
    return names


def _refuse_repeated(name: str, labels: list[Any]) -> None:
    if len({str(label) for label in labels}) < len(labels):
        raise DataError(f"{name}: two levels have one label. Give each its own.")


def _found(level: Any, levels: tuple[Level, ...]) -> Level:
    """The level of the data that is meant; one that does not occur stays as it is written."""
    known = match_level(level, levels)
    return level if known is None else known


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _match(name: str, level: Any, levels: tuple[Level, ...]) -> Level:
    known = match_level(level, levels)
    if known is not None:
        return known
    raise DataError(f"{name}: there is no level {str(level)!r}.{did_you_mean(str(level), levels)}")
