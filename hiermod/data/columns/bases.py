"""Functions of one column that learn from the fitted rows: scaling, orthogonal polynomials, splines.

Each learns a state of plain numbers from values and row weights, so that whole-number weights and repeated rows give
the same state, and applies it to new values; beside stands what an engine computes by its own expressions. All are R's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import narwhals as nw
import numpy as np

from hiermod.errors import DataError

State = dict[str, Any]
WIDTH = 1.0  # of the intervals on which natural splines go on, for an engine


def learn_scale(x: np.ndarray, weight: np.ndarray, center: Any = True, scale: Any = True) -> State:
    """R's ``scale``: the mean, and the standard deviation with n - 1 (the root mean square where not centred)."""
    middle = (float(np.average(x, weights=weight)) if center else 0.0) if isinstance(center, bool) else float(center)
    if not isinstance(scale, bool):
        return {"center": middle, "scale": float(scale)}
    spread = float(np.sqrt((weight * (x - middle) ** 2).sum() / (weight.sum() - 1.0))) if scale else 1.0
    return {"center": middle, "scale": spread}


def learn_scale_by_sums(
    x: Any, sums: Callable[[Any], tuple[float, float]], center: Any = True, scale: Any = True
) -> State:
    """`learn_scale` of what an engine holds; `sums` gives a number's weighted sum over rows, and that of weights."""
    middle = 0.0 if isinstance(center, bool) else float(center)
    if isinstance(center, bool) and center:
        for _ in range(2):
            total, size = sums(x - middle)
            middle += total / size
    if not isinstance(scale, bool):
        return {"center": middle, "scale": float(scale)}
    if not scale:
        return {"center": middle, "scale": 1.0}
    squares, size = sums((x - middle) ** 2)
    return {"center": middle, "scale": float(np.sqrt(squares / (size - 1.0)))}


def apply_scale(x: Any, state: State) -> Any:
    """Take the centre off and divide by the scale."""
    return (x - state["center"]) / state["scale"]


def learn_poly(x: np.ndarray, weight: np.ndarray, degree: Any = 1, raw: Any = False) -> State:
    """R's ``poly``: the recurrence of the orthogonal polynomials on the rows (Kennedy and Gentle 1980, p. 343)."""
    degree = _whole("poly", "degree", degree, 1)
    if raw:
        return {"raw": degree}
    if len(np.unique(x)) <= degree:
        raise DataError(
            f"poly(): a degree of {degree} needs more than {degree} distinct values. "
            "Lower it, or take factor() of the column."
        )
    alpha, norms = [], [float(weight.sum())]
    before, current = np.zeros_like(x), np.ones_like(x)
    for place in range(degree):
        alpha.append(float((weight * x * current**2).sum() / norms[-1]))
        factor = norms[-1] / norms[-2] if place else 0.0
        before, current = current, (x - alpha[-1]) * current - factor * before
        norms.append(float((weight * current**2).sum()))
    return {"alpha": alpha, "norms": norms}


def apply_poly(x: np.ndarray, state: State) -> np.ndarray:
    """Polynomials of degree one and up, shape ``(rows, degree)``."""
    return np.column_stack(list(polynomials(x, state)))


def polynomials(x: Any, state: State) -> Iterator[Any]:
    """The polynomials of one degree after another, of numbers or of what an engine calculates with like numbers."""
    if "raw" in state:
        yield from (x**power for power in range(1, state["raw"] + 1))
        return
    alpha, norms = state["alpha"], state["norms"]
    before, current = x * 0.0, x * 0.0 + 1.0
    for place, shift in enumerate(alpha):
        factor = norms[place] / norms[place - 1] if place else 0.0
        before, current = current, (x - shift) * current - before * factor
        yield current / float(np.sqrt(norms[place + 1]))


def learn_bs(x: np.ndarray, weight: np.ndarray, df: Any = None, knots: Any = None, degree: Any = 3,
             intercept: Any = False) -> State:  # fmt: skip
    """R's ``bs``: B-splines with knots at quantiles of the rows, or where they are given."""
    degree = _whole("bs", "degree", degree, 1)
    count = 0 if df is None else _whole("bs", "df", df, degree + bool(intercept)) - degree - bool(intercept)
    inner = _inner_knots("bs", x, weight, knots, count)
    ends = [float(x.min())] * (degree + 1), [float(x.max())] * (degree + 1)
    return {"knots": [*ends[0], *inner, *ends[1]], "degree": degree, "skip": int(not intercept)}


def apply_bs(x: np.ndarray, state: State) -> np.ndarray:
    """The B-splines' values, shape ``(rows, df)``; outside the boundary the end polynomials go on."""
    return splines(x, state["knots"], state["degree"])[:, state["skip"] :]


def learn_ns(x: np.ndarray, weight: np.ndarray, df: Any = None, knots: Any = None, intercept: Any = False) -> State:
    """R's ``ns``: natural cubic splines, the B-splines whose second derivative vanishes at the boundary."""
    count = 0 if df is None else _whole("ns", "df", df, 1 + bool(intercept)) - 1 - bool(intercept)
    inner = _inner_knots("ns", x, weight, knots, count)
    ends = [float(x.min())] * 4, [float(x.max())] * 4
    state: State = {"knots": [*ends[0], *inner, *ends[1]], "skip": int(not intercept)}
    curvature = splines(np.array([x.min(), x.max()]), state["knots"], 3, derivative=2)[:, state["skip"] :]
    free = np.linalg.qr(curvature.T, mode="complete")[0][:, 2:]
    return {**state, "free": free.tolist()}


def apply_ns(x: np.ndarray, state: State) -> np.ndarray:
    """The natural splines' values, shape ``(rows, df)``; outside the boundary they go on as straight lines."""
    low, high = state["knots"][0], state["knots"][-1]
    inside = x.clip(low, high)
    values = splines(inside, state["knots"], 3)
    if (x != inside).any():
        values = values + splines(inside, state["knots"], 3, derivative=1) * (x - inside)[:, None]
    return values[:, state["skip"] :] @ np.array(state["free"])


def splines(x: np.ndarray, knots: list[float], degree: int, derivative: int = 0) -> np.ndarray:
    """B-splines with these knots, or a derivative of them, shape ``(rows, splines)``."""
    from scipy.interpolate import BSpline

    count = len(knots) - degree - 1
    return np.asarray(BSpline(np.array(knots), np.eye(count), degree)(x, nu=derivative))


def engine_splines(x: nw.Expr, state: State) -> list[nw.Expr]:
    """Splines as what they are, a polynomial on each interval between knots; the state of natural ones is `free`."""
    from scipy.interpolate import BSpline, PPoly

    degree = state.get("degree", 3)
    knots = np.array(state["knots"])
    each = [PPoly.from_spline(BSpline(knots, unit, degree)) for unit in np.eye(len(knots) - degree - 1)]
    edges = np.unique(knots)
    parts = np.searchsorted(each[0].x, edges[:-1], side="right") - 1
    weights = np.stack(
        [spline.c[:, parts] for spline in each[state["skip"] :]], axis=-1
    )  # powers × intervals × columns
    natural = "free" in state
    if natural:
        weights = weights @ np.array(state["free"])
    return [_piecewise(x, edges, weights[:, :, column], straight=natural) for column in range(weights.shape[2])]


def _piecewise(x: nw.Expr, edges: np.ndarray, weights: np.ndarray, straight: bool) -> nw.Expr:
    """A polynomial on each interval (highest power first, from its left edge); outside, the ends go on."""
    if straight:
        weights, edges = _with_lines(weights, edges)
    made = [_horner(x - float(edge), powers) for edge, powers in zip(edges[:-1], weights.T, strict=True)]
    result = made[-1]
    for edge, value in zip(edges[1:-1][::-1], made[:-1][::-1], strict=True):
        result = nw.when(x < float(edge)).then(value).otherwise(result)
    return result


def _with_lines(weights: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add an interval on either side on which the polynomial goes on as a straight line."""
    step = edges[-1] - edges[-2]
    last = np.poly1d(weights[:, -1])
    left = np.array([0.0, 0.0, weights[-2, 0], weights[-1, 0]])
    right = np.array([0.0, 0.0, last.deriv()(step), last(step)])
    left[-1] -= left[-2] * WIDTH  # its left edge stands before the first knot
    return np.column_stack([left, weights, right]), np.array([edges[0] - WIDTH, *edges, np.inf])


def _horner(x: nw.Expr, weights: np.ndarray) -> nw.Expr:
    result = x * 0.0 + float(weights[0])
    for weight in weights[1:]:
        result = result * x + float(weight)
    return result


def _inner_knots(function: str, x: np.ndarray, weight: np.ndarray, knots: Any, count: int) -> list[float]:
    if knots is None:
        return [weighted_quantile(x, weight, place / (count + 1)) for place in range(1, count + 1)]
    given = sorted(float(knot) for knot in (knots if isinstance(knots, list) else [knots]))
    if not x.min() < given[0] or not given[-1] < x.max():
        raise DataError(f"{function}(): its knots must lie between {x.min():g} and {x.max():g}, the column's range.")
    return given


def weighted_quantile(x: np.ndarray, weight: np.ndarray, share: float) -> float:
    """R's quantile of type 7, each value counted as often as its weight says."""
    order = np.argsort(x, kind="stable")
    ends = np.cumsum(weight[order])
    place = (ends[-1] - 1.0) * share
    lower, upper = (x[order][min(np.searchsorted(ends, rank, side="right"), len(x) - 1)] for rank in
                    (np.floor(place), np.floor(place) + 1.0))  # fmt: skip
    return float(lower + (place - np.floor(place)) * (upper - lower))


def _whole(function: str, option: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or not least <= value <= 50:
        raise DataError(f"{function}(): {option} is a whole number from {least} to 50, not {value!r}.")
    return int(value)
