"""The log likelihood of groups with their effects integrated out by quadrature, under a canonical link.

Groups with the same data are one pattern. A pattern's nodes are standard normals o, which stay where its mode and
spread put them; effects are Λ o. The same of one group is the density of its effects given the hyperparameters.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.vector_ops import copy, fill, total
from hiermod.engine.kernels.record import EXPONENTIAL
from hiermod.engine.kernels.views import doubles, integers

FAR = 200.0  # linear predictors beyond which 1 + exp(eta) is taken by its logarithm alone
FULL = 600.0  # the logarithm of the largest product of such terms that is formed


@numba.njit(**NJIT)
def log_likelihood(record: Any, room: int, beta: int, root: int) -> float:
    """Sum of the logarithms of the patterns' integrals, each as often as it occurs, at one point."""
    counts, starts, result = doubles(record.counts), integers(record.starts), 0.0
    for pattern in range(record.patterns):
        first, entries = starts[pattern], starts[pattern + 1] - starts[pattern]
        _place(record, room, root, pattern)
        _linear(record, room, beta, first, entries)
        if record.kind == EXPONENTIAL:
            _exponential(record, room, first, entries)
        else:
            _logistic(record, room, first, entries)
        result += counts[pattern] * _log_sum(record, room, pattern)
    return result


# Where an evaluation's own arrays stand in its room: of nodes, then of entries, then of effects.


@numba.njit(**NJIT)
def room_size(record: Any) -> int:
    """How many numbers of its own an evaluation needs."""
    return (record.width + 3) * record.nodes + 2 * (record.longest + record.width)


@numba.njit(**NJIT)
def _effects(record: Any, room: int) -> int:
    """Each node's effects, shape ``(width, nodes)``."""
    return room


@numba.njit(**NJIT)
def _logs(record: Any, room: int) -> int:
    """The logarithm of each node's term."""
    return room + 8 * record.width * record.nodes


@numba.njit(**NJIT)
def _work(record: Any, room: int) -> int:
    """A number for each node."""
    return room + 8 * (record.width + 1) * record.nodes


@numba.njit(**NJIT)
def _products(record: Any, room: int) -> int:
    """The product of each node's terms."""
    return room + 8 * (record.width + 2) * record.nodes


@numba.njit(**NJIT)
def _base(record: Any, room: int) -> int:
    """Each entry's linear predictor without effects."""
    return room + 8 * (record.width + 3) * record.nodes


@numba.njit(**NJIT)
def _eta(record: Any, room: int) -> int:
    """Each entry's linear predictor."""
    return _base(record, room) + 8 * record.longest


@numba.njit(**NJIT)
def _reach(record: Any, room: int) -> int:
    """The largest size of each effect among the nodes."""
    return _eta(record, room) + 8 * record.longest


@numba.njit(**NJIT)
def _normals(record: Any, room: int) -> int:
    """A group's normals."""
    return _reach(record, room) + 8 * record.width


@numba.njit(**NJIT)
def _place(record: Any, room: int, root: int, pattern: int) -> None:
    """Write a pattern's effects at its nodes, and what its totals and the normal density give."""
    width, nodes = record.width, record.nodes
    effects, logs = doubles(_effects(record, room)), doubles(_logs(record, room))
    node, reach = doubles(_work(record, room)), doubles(_reach(record, room))
    grid, scale = doubles(record.grid), doubles(root)
    modes = doubles(record.modes)
    spreads = doubles(record.spreads)
    totals = doubles(record.totals)
    copy(logs, 0, doubles(record.log_weights), 0, record.nodes)
    fill(effects, 0, 0.0, width * record.nodes)
    for j in range(width):
        fill(node, 0, modes[pattern * width + j], record.nodes)
        for i in range(width):
            along, at = spreads[(pattern * width + j) * width + i], i * record.nodes
            if along != 0.0:
                for k in range(nodes):
                    node[k] += along * grid[at + k]
        for k in range(nodes):
            logs[k] -= 0.5 * node[k] * node[k]
        for i in range(j, width):
            along, at = scale[i * width + j], i * record.nodes
            for k in range(nodes):
                effects[at + k] += along * node[k]
    for j in range(width):
        most, own, at = 0.0, totals[pattern * width + j], j * record.nodes
        for k in range(nodes):
            logs[k] += own * effects[at + k]
            most = max(most, abs(effects[at + k]))
        reach[j] = most


@numba.njit(**NJIT)
def _linear(record: Any, room: int, beta: int, first: int, entries: int) -> None:
    base, columns = doubles(_base(record, room)), record.columns
    design, offset = doubles(record.design), doubles(record.offset)
    coefficients = doubles(beta)
    copy(base, 0, offset, first, entries)
    for column in range(columns):
        at, own = column * record.entries + first, coefficients[column]
        for e in range(entries):
            base[e] += own * design[at + e]


@numba.njit(**NJIT)
def _predictor(record: Any, room: int, entry: int, base: float) -> None:
    """Write an entry's linear predictor at each node."""
    effects, eta = doubles(_effects(record, room)), doubles(_work(record, room))
    multipliers = doubles(record.multipliers)
    fill(eta, 0, base, record.nodes)
    for j in range(record.width):
        own, at = multipliers[j * record.entries + entry], j * record.nodes
        if own != 0.0:
            for k in range(record.nodes):
                eta[k] += own * effects[at + k]


@numba.njit(**NJIT)
def _exponential(record: Any, room: int, first: int, entries: int) -> None:
    """Take sizes times the exponential of linear predictors off."""
    logs, eta = doubles(_logs(record, room)), doubles(_work(record, room))
    base = doubles(_base(record, room))
    size, effects = doubles(record.size), doubles(_effects(record, room))
    if record.plain:
        for e in range(entries):
            base[e] = size[first + e] * exp(base[e])
        whole = total(base, 0, entries)
        for k in range(record.nodes):
            logs[k] -= whole * exp(effects[k])
        return
    for e in range(entries):
        _predictor(record, room, first + e, base[e])
        own = size[first + e]
        for k in range(record.nodes):
            logs[k] -= own * exp(eta[k])


@numba.njit(**NJIT)
def _logistic(record: Any, room: int, first: int, entries: int) -> None:
    """Take sizes times log(1 + exp) of linear predictors off; of single trials by one logarithm of their product."""
    width, nodes = record.width, record.nodes
    logs, eta, products = doubles(_logs(record, room)), doubles(_work(record, room)), doubles(_products(record, room))
    base, reach, effects = doubles(_base(record, room)), doubles(_reach(record, room)), doubles(_effects(record, room))
    size, multipliers = doubles(record.size), doubles(record.multipliers)
    fill(products, 0, 1.0, record.nodes)
    factored, full = bool(record.plain) and reach[0] < FAR, 0.0
    if factored:
        for k in range(nodes):
            eta[k] = exp(effects[k])
    for e in range(entries):
        trials, highest = size[first + e], base[e]
        for j in range(width):
            highest += abs(multipliers[j * record.entries + first + e]) * reach[j]
        if highest > FAR:
            _predictor(record, room, first + e, base[e])
            for k in range(nodes):
                logs[k] -= trials * (max(eta[k], 0.0) + log1p(exp(-abs(eta[k]))))
            if factored:
                for k in range(nodes):
                    eta[k] = exp(effects[k])
            continue
        odds = exp(base[e])
        if not factored:
            odds = 1.0
            _predictor(record, room, first + e, base[e])
            for k in range(nodes):
                eta[k] = exp(eta[k])
        if trials != 1.0:
            for k in range(nodes):
                logs[k] -= trials * log(1.0 + odds * eta[k])
            continue
        full += max(highest, 0.0) + 0.7
        if full > FULL:
            _take_off(logs, products, record.nodes)
            full = max(highest, 0.0) + 0.7
        for k in range(nodes):
            products[k] *= 1.0 + odds * eta[k]
    _take_off(logs, products, record.nodes)


@numba.njit(**NJIT)
def _take_off(logs: Any, products: Any, nodes: int) -> None:
    for k in range(nodes):
        logs[k] -= log(products[k])
        products[k] = 1.0


@numba.njit(**NJIT)
def _log_sum(record: Any, room: int, pattern: int) -> float:
    """The logarithm of a pattern's integral."""
    logs, largest = doubles(_logs(record, room)), -np.inf
    for k in range(record.nodes):
        largest = max(largest, logs[k])
    for k in range(record.nodes):
        logs[k] = exp(logs[k] - largest)
    volumes = doubles(record.log_volumes)
    return largest + math.log(total(logs, 0, record.nodes)) + volumes[pattern]


@numba.njit(**NJIT)
def log_ratio(
    record: Any, room: int, pattern: int, beta: int, root: int, centre: int, z: int, wider: float, freedom: float
) -> float:  # fmt: skip
    """The density of a group's normals over that of proposals, a multivariate t about a centre, where it is 1.

    A proposal is the centre and `wider` times the pattern's spread times z.
    """
    starts, width = integers(record.starts), record.width
    first, entries = starts[pattern], starts[pattern + 1] - starts[pattern]
    normals, middle, step = doubles(_normals(record, room)), doubles(centre), doubles(z)
    spreads = doubles(record.spreads)
    _linear(record, room, beta, first, entries)
    copy(normals, 0, middle, 0, width)
    result, squares = -_log_conditional(record, room, pattern, root, first, entries), 0.0
    for i in range(width):
        squares += step[i] * step[i]
        for j in range(width):
            normals[i] += wider * spreads[(pattern * width + i) * width + j] * step[j]
    result += _log_conditional(record, room, pattern, root, first, entries)
    return result + 0.5 * (freedom + width) * math.log(1.0 + squares / freedom)


@numba.njit(**NJIT)
def _log_conditional(record: Any, room: int, pattern: int, root: int, first: int, entries: int) -> float:
    """The log density of a group's normals, up to a constant."""
    width, eta, base = record.width, doubles(_eta(record, room)), doubles(_base(record, room))
    normals, scale = doubles(_normals(record, room)), doubles(root)
    size, totals = doubles(record.size), doubles(record.totals)
    multipliers, result = doubles(record.multipliers), 0.0
    copy(eta, 0, base, 0, entries)
    for i in range(width):
        effect, at = 0.0, i * record.entries + first
        for j in range(i + 1):
            effect += scale[i * width + j] * normals[j]
        result += totals[pattern * width + i] * effect - 0.5 * normals[i] * normals[i]
        for e in range(entries):
            eta[e] += effect * multipliers[at + e]
    if record.kind == EXPONENTIAL:
        for e in range(entries):
            eta[e] = size[first + e] * exp(eta[e])
    else:
        for e in range(entries):
            eta[e] = size[first + e] * (max(eta[e], 0.0) + log1p(exp(-abs(eta[e]))))
    return result - total(eta, 0, entries)
