"""Penalised bases of one column, mgcv's ``s(x)``: thin plate regression splines, and P-splines.

Thin plate splines (``bs="tp"``) are those of Wood (2003), J. R. Statist. Soc. B 65, 95-114, P-splines (``bs="ps"``)
those of Eilers and Marx (1996), Statistical Science 11, 89-121.

A curve has polynomials that are not penalised, a straight line most often, and wiggles, scaled so that independent
standard normal coefficients have mgcv's penalty as their prior, and a curve of wiggles alone the mean square 1. All are
centred, and the wiggles have no such polynomial in them, over the fitted rows. Beyond these the curve goes on as a
straight line.

With ``by=`` a factor there is such a curve for each of its levels, of one basis, that of all rows; with a number z the
slope of z is a curve in x, of which nothing is centred.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.data.columns.bases import splines
from hiermod.data.columns.factors import apply_factor, learn_factor
from hiermod.data.columns.values import Leveled, Values
from hiermod.errors import DataError

State = dict[str, Any]
MOST_NODES = 500  # distinct values that a thin plate spline is made of; of more, so many quantiles
LEAST, USUAL, MOST = 3, 10, 100
AT_ONCE = 2**22  # numbers of features that are held in memory
BEYOND = 0.001  # of the range, by which knots of P-splines begin before the data, as in mgcv
NEAREST = {  # bases of mgcv and brms that are not here: what is nearest
    ("cr", "cs", "ts", "bs", "ad", "ds", "gp"): "The nearest is bs='tp', the thin plate spline, the usual one.",
    ("cc", "cp"): (
        "A curve that meets itself is sin(2 * pi * x / period) + cos(2 * pi * x / period), with the period as a number."
    ),
    ("re",): "Effects that vary over groups are (1 | g) and (0 + x | g).",
    ("fs", "sz"): "The nearest is f + s(x, by=f), a curve for each level.",
    ("mrf", "sos", "so", "sw", "sf"): "Smooths of places are not there. The nearest is (1 | place).",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Penalised:
    """What a basis is made of: features of x, and their weights in the polynomials and in the wiggles."""

    state: State
    polynomials: np.ndarray
    wiggles: np.ndarray


def learn_smooth(
    x: np.ndarray, weight: np.ndarray, by: Any = None, k: Any = USUAL, bs: Any = "tp", m: Any = None
) -> State:
    """Learn the basis from values and how often each counts.

    `by` is a column's `Values`, levels that a function made, or numbers.

    Raises
    ------
    DataError
        If there are fewer distinct values than the basis has columns, or another basis is asked for.
    """
    k = _size(k)
    if bs not in BASES:
        raise DataError(_no_basis(str(bs)))
    values = np.unique(x)
    if len(values) < k:
        raise DataError(f"s(): a basis of k = {k} needs as many distinct values, and there are {_enough(len(values))}")
    made = BASES[bs](x, weight, values, k, m)
    of_by = _learn_by(by)
    scale = _number_of(by) if of_by == {"number": True} else np.ones(len(x))
    share = weight * scale**2 / weight.sum()
    matrix, free = _in_own_unit(x, share, made, centred="number" not in of_by)
    return {**made.state, "bs": bs, "matrix": matrix.tolist(), "free": free, "by": of_by}


def apply_smooth(x: np.ndarray, state: State, by: Any = None) -> np.ndarray:
    """The basis, shape ``(rows, curves * columns)``."""
    curve = _product(x, state, np.array(state["matrix"]))
    if "number" in state["by"]:
        curve[:, 0] = 1.0
        return np.asarray(_number_of(by)[:, None] * curve)
    if "levels" not in state["by"]:
        return curve
    codes = apply_factor("by", by, state["by"]).codes
    curves = [np.where((codes == code)[:, None], curve, 0.0) for code in _coded(state)]
    return np.hstack(curves)


def smooth_labels(state: State) -> tuple[str, ...]:
    """What the columns are called: 1, 2, ..., or with levels ``A, 1``."""
    return tuple(
        f"{level}, {number}" if level else str(number)
        for level, first, _, stop in curves_of(state)
        for number in range(1, stop - first + 1)
    )


def curves_of(state: State) -> list[tuple[str, int, int, int]]:
    """Each curve: its level of ``by=``, and where its columns begin, its wiggles begin, and both end."""
    columns = len(state["matrix"][0])
    levels = [str(state["by"]["labels"][code]) for code in _coded(state)] if "levels" in state["by"] else [""]
    return [(level, place * columns, place * columns + state["free"], (place + 1) * columns)
            for place, level in enumerate(levels)]  # fmt: skip


def _coded(state: State) -> range:
    """The codes of the levels that have a curve: of ordered ones, all but the first, as in mgcv."""
    return range(int(state["by"]["ordered"]), len(state["by"]["levels"]))


def _enough(count: int) -> str:
    """How many values there are, and what can be said of so few."""
    if count < 2:
        return f"{count}: it is constant. Leave it out."
    return f"{count}. Write k={count} in it." if count >= LEAST else f"{count}. Write the column without s()."


def _size(k: Any) -> int:
    if isinstance(k, bool) or k != int(k) or not LEAST <= k <= MOST:
        raise DataError(f"s(): k is a whole number from {LEAST} to {MOST}, not {k!r}.")
    return int(k)


def _no_basis(bs: str) -> str:
    remedy = next((remedy for names, remedy in NEAREST.items() if bs in names), "There is none that is near.")
    return f"s(): bs={bs!r} is not there; bs='tp' and bs='ps' are. {remedy}"


def _learn_by(by: Any) -> State:
    """Nothing, that it is a number, or levels."""
    if by is None:
        return {}
    if isinstance(by, Values) and by.kind == "date":
        raise DataError(f"s(): by={by.name} holds dates. A column of numbers or levels is needed.")
    if isinstance(by, np.ndarray) or (isinstance(by, Values) and by.kind in ("int", "float") and not by.encoded):
        numbers = _number_of(by)
        if (numbers == numbers[:1]).all():
            raise DataError(f"s(): by= is constant ({numbers[0]:g} in every row). Leave it out: s(x).")
        return {"number": True}
    if not isinstance(by, Values | Leveled):
        raise DataError(f"s(): by={by!r} is no column. by= is a factor, for a curve at each level, or a number.")
    leveled = by.leveled if isinstance(by, Values) else by
    learned = learn_factor("by", leveled)
    if len(learned["levels"]) < 2:
        raise DataError(f"s(): by= is constant ({str(learned['levels'][0])!r} in every row). Leave it out: s(x).")
    return {**learned, "ordered": leveled.coding == "poly"}


def _number_of(by: Any) -> np.ndarray:
    if isinstance(by, Values):
        if by.kind not in ("int", "float", "bool"):
            raise DataError(f"s(): by={by.name} was numeric in the fitted data and holds {by.kind} here.")
        return by.series.to_numpy(dtype=float)
    if not isinstance(by, np.ndarray) or by.ndim > 1:
        raise DataError("s(): by= is one number a row or levels, and no basis of several columns.")
    return by


def _in_own_unit(x: np.ndarray, share: np.ndarray, made: Penalised, centred: bool) -> tuple[np.ndarray, int]:
    """The weights of features in columns of their own unit, those of polynomials first, and how many these are.

    Polynomials are orthogonal over rows, each of the mean square 1 given their `share`; the first is a constant where a
    curve is not centred. Wiggles have the mean square 1 together, times those numbers whose slope they are.
    """
    values, places = np.unique(x, return_inverse=True)
    root = np.sqrt(np.bincount(places, share))[:, None]
    powers, wiggles = (_product(values, made.state, part) for part in (made.polynomials, made.wiggles))
    orthogonal, triangle = np.linalg.qr(root * powers)
    size = np.sqrt(share.sum()) * np.sign(np.diag(triangle))
    polynomials = np.linalg.solve(triangle.T, made.polynomials.T).T * size
    fitted = np.linalg.solve(triangle, orthogonal.T @ (root * wiggles))
    wiggles = root * (wiggles - powers @ fitted)
    penalised = (made.wiggles - made.polynomials @ fitted) / np.sqrt((wiggles**2).sum())
    if centred:
        polynomials = polynomials[:, 1:]
    return np.hstack([polynomials, penalised]), polynomials.shape[1]


def _product(x: np.ndarray, state: State, matrix: np.ndarray) -> np.ndarray:
    """The features of x times a matrix; of so many rows at a time that these fit in memory."""
    features, step = FEATURES["nodes" if "nodes" in state else "knots"], max(AT_ONCE // len(matrix), 1)
    parts = [features(x[first : first + step], state) @ matrix for first in range(0, max(len(x), 1), step)]
    return np.concatenate(parts)


def _thin_plate(x: np.ndarray, weight: np.ndarray, values: np.ndarray, k: int, m: Any) -> Penalised:
    """The k eigenvectors of the radial functions with the largest eigenvalues span the basis.

    A curve of finite bending energy has coefficients without a straight line; the penalty of k - 2 columns of such is
    the sum of squares.
    """
    if m not in (None, 2):
        raise DataError(f"s(): m={m!r} is not there for bs='tp', which is penalised by its second derivative, m=2.")
    centre, scale = float(np.average(x, weights=weight)), float(values[-1] - values[0])
    nodes = values if len(values) <= MOST_NODES else np.quantile(values, np.linspace(0.0, 1.0, MOST_NODES))
    nodes = (nodes - centre) / scale
    radial = np.abs(nodes[:, None] - nodes) ** 3
    sizes, vectors = np.linalg.eigh(radial)
    chosen = np.argsort(-np.abs(sizes))[:k]
    sizes, vectors = sizes[chosen], vectors[:, chosen]
    straight = vectors.T @ np.column_stack([np.ones(len(nodes)), nodes])
    bending = np.linalg.qr(straight, mode="complete")[0][:, 2:]
    energy = bending.T @ (sizes[:, None] * bending)
    size, turned = np.linalg.eigh(0.5 * (energy + energy.T))
    wiggles = vectors @ bending @ turned / np.sqrt(np.abs(size))
    state = {"centre": centre, "scale": scale, "nodes": nodes.tolist()}
    return Penalised(state, np.eye(2 + len(nodes), 2), np.vstack([np.zeros((2, k - 2)), wiggles]))


def _radial(x: np.ndarray, state: State) -> np.ndarray:
    """1, x, and the distance to each node, cubed."""
    at = (x - state["centre"]) / state["scale"]
    return np.column_stack([np.ones(len(at)), at, np.abs(at[:, None] - np.array(state["nodes"])) ** 3])


def _penalised_splines(x: np.ndarray, weight: np.ndarray, values: np.ndarray, k: int, m: Any) -> Penalised:
    """B-splines of equally spaced knots, their coefficients penalised by differences between neighbours.

    `m` is the order of the splines, 2 for cubic ones, and that of differences, as in mgcv.
    """
    order, differences = _orders(m, k)
    low, high = float(values[0]), float(values[-1])
    low, high = low - BEYOND * (high - low), high + BEYOND * (high - low)
    step = (high - low) / (k - order - 1)
    knots = np.linspace(low - step * (order + 1), high + step * (order + 1), k + order + 2)
    penalty = np.diff(np.eye(k), differences, axis=0)
    sizes, vectors = np.linalg.eigh(penalty.T @ penalty)
    wiggles = vectors[:, differences:] / np.sqrt(sizes[differences:])
    powers = np.vander(np.linspace(-1.0, 1.0, k), differences, increasing=True)
    return Penalised({"knots": knots.tolist(), "degree": order + 1}, powers, wiggles)


def _orders(m: Any, k: int) -> tuple[int, int]:
    given = [2, 2] if m is None else [m, m] if not isinstance(m, list) else m
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in given)
    if len(given) != 2 or not whole or not (0 <= given[0] <= 4 and 1 <= given[1] <= min(given[0] + 2, 4)):
        raise DataError(
            f"s(): m={m!r} is not there for bs='ps'. m=c(2, 2) is cubic splines whose second differences are "
            "penalised, m=c(2, 1) whose first are; the orders are from 0 to 4 and from 1 to 4."
        )
    if k < (least := max(given[0] + 2, given[1] + 1)):
        raise DataError(f"s(): bs='ps' of such an order needs k of at least {least}, not {k}.")
    return given[0], given[1]


def _b_splines(x: np.ndarray, state: State) -> np.ndarray:
    """B-splines within the range of the data, and straight lines beyond."""
    knots, degree = state["knots"], state["degree"]
    low, high = knots[degree], knots[-degree - 1]
    inside = np.clip(x, low, high)
    made = splines(inside, knots, degree)
    for end, beyond in ((low, x < low), (high, x > high)):
        if beyond.any():
            made[beyond] += (x[beyond] - end)[:, None] * splines(np.array([end]), knots, degree, 1)
    return made


Basis = Callable[[np.ndarray, np.ndarray, np.ndarray, int, Any], Penalised]
BASES: dict[str, Basis] = {"tp": _thin_plate, "ps": _penalised_splines}
FEATURES = {"nodes": _radial, "knots": _b_splines}
