"""The log likelihood of groups with their effects integrated out by quadrature, under a canonical link.

Groups with the same data are one pattern. A pattern's nodes are standard normals o, which stay where its mode and
spread put them; effects are Λ o. The same of one group is the density of its effects given the hyperparameters.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT, plain
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.vector_ops import add_scaled, copy, dot, fill, scale, total
from hiermod.engine.kernels.record import EXPONENTIAL
from hiermod.engine.kernels.views import doubles, integers

FAR = 200.0  # linear predictors beyond which 1 + exp(eta) is taken by its logarithm alone
FULL = 600.0  # the logarithm of the largest product of such terms that is formed


@numba.njit(**NJIT)
def log_likelihood(record: Any, room: int, beta: int, root: int) -> float:
    """Sum of the logarithms of the patterns' integrals, each as often as it occurs, at one point."""
    counts, starts, result = doubles(record.counts, record.patterns), integers(record.starts, record.patterns + 1), 0.0
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


_room_of_integrals = numba.njit(**NJIT)(plain.room_of_integrals)


@numba.njit(**NJIT)
def room_size(record: Any) -> int:
    """How many numbers of its own an evaluation needs."""
    return _room_of_integrals(record.width, record.nodes, record.longest)


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
    width, nodes = record.width, np.uint64(record.nodes)
    effects, logs, node, reach = (
        doubles(_effects(record, room), record.width * record.nodes),
        doubles(_logs(record, room), record.nodes),
        doubles(_work(record, room), record.nodes),
        doubles(_reach(record, room), record.width),
    )
    lower, totals = doubles(root, width * width), doubles(record.totals, record.patterns * width)
    copy(logs, 0, doubles(record.log_weights, record.nodes), 0, record.nodes)
    fill(effects, 0, 0.0, width * record.nodes)
    for j in range(width):
        _normal(record, room, pattern, j)
        for k in range(nodes):
            logs[k] -= 0.5 * node[k] * node[k]
        for i in range(j, width):
            along, at = lower[i * width + j], np.uint64(i * record.nodes)
            for k in range(nodes):
                effects[at + k] += along * node[k]
    for j in range(width):
        most, own, at = 0.0, totals[pattern * width + j], np.uint64(j * record.nodes)
        for k in range(nodes):
            logs[k] += own * effects[at + k]
            most = max(most, abs(effects[at + k]))
        reach[j] = most


@numba.njit(**NJIT)
def _linear(record: Any, room: int, beta: int, first: int, entries: int) -> None:
    base, columns = doubles(_base(record, room), record.longest), record.columns
    design, offset = doubles(record.design, columns * record.entries), doubles(record.offset, record.entries)
    coefficients = doubles(beta, columns)
    copy(base, 0, offset, first, entries)
    for column in range(columns):
        at, own = np.uint64(column * record.entries + first), coefficients[column]
        for e in range(np.uint64(entries)):
            base[e] += own * design[at + e]


@numba.njit(**NJIT)
def _predictor(record: Any, room: int, entry: int, base: float) -> None:
    """Write an entry's linear predictor at each node."""
    effects, eta = (
        doubles(_effects(record, room), record.width * record.nodes),
        doubles(_work(record, room), record.nodes),
    )
    multipliers = doubles(record.multipliers, record.width * record.entries)
    fill(eta, 0, base, record.nodes)
    for j in range(record.width):
        own, at = multipliers[j * record.entries + entry], np.uint64(j * record.nodes)
        if own != 0.0:
            for k in range(np.uint64(record.nodes)):
                eta[k] += own * effects[at + k]


@numba.njit(**NJIT)
def _exponential(record: Any, room: int, first: int, entries: int) -> None:
    """Take sizes times the exponential of linear predictors off."""
    logs, eta, base = (
        doubles(_logs(record, room), record.nodes),
        doubles(_work(record, room), record.nodes),
        doubles(_base(record, room), record.longest),
    )
    size, effects = doubles(record.size, record.entries), doubles(_effects(record, room), record.width * record.nodes)
    if record.plain:
        begin = np.uint64(first)
        for e in range(np.uint64(entries)):
            base[e] = size[begin + e] * exp(base[e])
        whole = total(base, 0, entries)
        for k in range(np.uint64(record.nodes)):
            logs[k] -= whole * exp(effects[k])
        return
    for e in range(entries):
        _predictor(record, room, first + e, base[e])
        own = size[first + e]
        for k in range(np.uint64(record.nodes)):
            logs[k] -= own * exp(eta[k])


@numba.njit(**NJIT)
def _logistic(record: Any, room: int, first: int, entries: int) -> None:
    """Take sizes times log(1 + exp) of linear predictors off; of single trials by one logarithm of their product."""
    width, nodes = record.width, np.uint64(record.nodes)
    logs, eta, base, reach = (
        doubles(_logs(record, room), record.nodes),
        doubles(_work(record, room), record.nodes),
        doubles(_base(record, room), record.longest),
        doubles(_reach(record, room), record.width),
    )
    products, effects = (
        doubles(_products(record, room), record.nodes),
        doubles(_effects(record, room), record.width * record.nodes),
    )
    size, multipliers = doubles(record.size, record.entries), doubles(record.multipliers, width * record.entries)
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
    for k in range(np.uint64(nodes)):
        logs[k] -= log(products[k])
        products[k] = 1.0


@numba.njit(**NJIT)
def _log_sum(record: Any, room: int, pattern: int) -> float:
    """The logarithm of a pattern's integral."""
    logs, largest = doubles(_logs(record, room), record.nodes), -np.inf
    for k in range(np.uint64(record.nodes)):
        largest = max(largest, logs[k])
    for k in range(np.uint64(record.nodes)):
        logs[k] = exp(logs[k] - largest)
    volumes = doubles(record.log_volumes, record.patterns)
    return largest + math.log(total(logs, 0, record.nodes)) + volumes[pattern]


@numba.njit(**NJIT)
def scored(
    record: Any, room: int, root: int, by_root: int, pattern: int, predictors: int, scores: int
) -> float:  # fmt: skip
    """Log likelihood of all groups of a pattern, given the entries' linear predictors without effects.

    Writes its derivatives by these, and adds that by Λ: the expectations of the conditional ones (Fisher's identity),
    over the nodes.
    """
    starts, counts = integers(record.starts, record.patterns + 1), doubles(record.counts, record.patterns)
    first, entries = starts[pattern], starts[pattern + 1] - starts[pattern]
    base, logs = doubles(_base(record, room), record.longest), doubles(_logs(record, room), record.nodes)
    _place(record, room, root, pattern)
    copy(base, 0, doubles(predictors, first + entries), first, entries)
    if record.kind == EXPONENTIAL:
        _exponential(record, room, first, entries)
    else:
        _logistic(record, room, first, entries)
    result = counts[pattern] * _log_sum(record, room, pattern)
    scale(logs, 0, counts[pattern] / total(logs, 0, record.nodes), record.nodes)
    fill(doubles(_sums(record, room), record.width * record.nodes), 0, 0.0, record.width * record.nodes)
    if record.kind == EXPONENTIAL and record.plain:
        _plain_exponential_scores(record, room, first, entries, scores)
    else:
        _scores(record, room, first, entries, predictors, scores)
    _add_by_root(record, room, pattern, by_root)
    return result


@numba.njit(**NJIT)
def _sums(record: Any, room: int) -> int:
    """At each node the sum of means times what each effect is multiplied by, shape ``(width, nodes)``."""
    return _normals(record, room) + 8 * record.width


@numba.njit(**NJIT)
def _plain_exponential_scores(record: Any, room: int, first: int, entries: int, scores: int) -> None:
    """Of single effects; `base` holds each entry's mean without them."""
    means, logs = doubles(_base(record, room), record.longest), doubles(_logs(record, room), record.nodes)
    effects, sums = doubles(_effects(record, room), record.nodes), doubles(_sums(record, room), record.nodes)
    out, whole, rise = doubles(scores, first + entries), total(means, 0, entries), 0.0
    for k in range(np.uint64(record.nodes)):
        up = exp(effects[k])
        sums[k] = whole * up
        rise += logs[k] * up
    begin = np.uint64(first)
    for e in range(np.uint64(entries)):
        out[begin + e] = -rise * means[e]


@numba.njit(**NJIT)
def _scores(record: Any, room: int, first: int, entries: int, predictors: int, scores: int) -> None:
    """Write minus the expectation of each entry's mean, as often as the pattern occurs; add means to the sums."""
    width, nodes = record.width, np.uint64(record.nodes)
    logs, mean = doubles(_logs(record, room), record.nodes), doubles(_work(record, room), record.nodes)
    base, out = doubles(predictors, first + entries), doubles(scores, first + entries)
    size, multipliers = doubles(record.size, record.entries), doubles(record.multipliers, width * record.entries)
    sums, exponential = doubles(_sums(record, room), width * record.nodes), record.kind == EXPONENTIAL
    factor, reach = doubles(_products(record, room), record.nodes), doubles(_reach(record, room), width)
    factored = bool(record.plain) and not exponential and reach[0] < FAR
    if factored:
        effects = doubles(_effects(record, room), record.nodes)
        for k in range(nodes):
            factor[k] = exp(effects[k])
    for e in range(first, first + entries):
        own, odds = size[e], exp(min(base[e], FAR))
        if factored and base[e] + reach[0] < FAR:
            for k in range(nodes):
                mean[k] = own - own / (1.0 + odds * factor[k])
        else:
            _predictor(record, room, e, base[e])
            for k in range(nodes):
                mean[k] = own * exp(mean[k]) if exponential else own / (1.0 + exp(-mean[k]))
        out[e] = -dot(logs, 0, mean, 0, record.nodes)
        for i in range(width):
            add_scaled(sums, i * record.nodes, mean, 0, multipliers[i * record.entries + e], record.nodes)


@numba.njit(**NJIT)
def _add_by_root(record: Any, room: int, pattern: int, by_root: int) -> None:
    """Add the derivative by Λ: of each effect's by its normal's value at the nodes."""
    width, nodes = record.width, record.nodes
    logs, node = doubles(_logs(record, room), nodes), doubles(_work(record, room), nodes)
    sums, out = doubles(_sums(record, room), width * nodes), doubles(by_root, width * width)
    totals = doubles(record.totals, record.patterns * width)
    for j in range(width):
        _normal(record, room, pattern, j)
        for k in range(np.uint64(nodes)):
            node[k] *= logs[k]
        along = total(node, 0, nodes)
        for i in range(j, width):
            own = totals[pattern * width + i] * along
            out[i * width + j] += own - dot(node, 0, sums, i * nodes, nodes)


@numba.njit(**NJIT)
def _normal(record: Any, room: int, pattern: int, j: int) -> None:
    """Write one of a group's normals at each node."""
    width, nodes, node = record.width, record.nodes, doubles(_work(record, room), record.nodes)
    grid, modes = doubles(record.grid, width * nodes), doubles(record.modes, record.patterns * width)
    spreads = doubles(record.spreads, record.patterns * width * width)
    fill(node, 0, modes[pattern * width + j], nodes)
    for i in range(width):
        add_scaled(node, 0, grid, i * nodes, spreads[(pattern * width + j) * width + i], nodes)


@numba.njit(**NJIT)
def log_ratio(
    record: Any, room: int, pattern: int, beta: int, root: int, centre: int, z: int, wider: float, freedom: float
) -> float:  # fmt: skip
    """The density of a group's normals over that of proposals, a multivariate t about a centre, where it is 1.

    A proposal is the centre and `wider` times the pattern's spread times z.
    """
    starts, width = integers(record.starts, record.patterns + 1), record.width
    first, entries = starts[pattern], starts[pattern + 1] - starts[pattern]
    normals, middle, step = doubles(_normals(record, room), record.width), doubles(centre, width), doubles(z, width)
    spreads = doubles(record.spreads, record.patterns * width * width)
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
    width, eta, base = (
        record.width,
        doubles(_eta(record, room), record.longest),
        doubles(_base(record, room), record.longest),
    )
    normals, lower = doubles(_normals(record, room), record.width), doubles(root, width * width)
    size, totals = doubles(record.size, record.entries), doubles(record.totals, record.patterns * width)
    multipliers, result = doubles(record.multipliers, width * record.entries), 0.0
    copy(eta, 0, base, 0, entries)
    for i in range(width):
        effect, at = 0.0, np.uint64(i * record.entries + first)
        for j in range(i + 1):
            effect += lower[i * width + j] * normals[j]
        result += totals[pattern * width + i] * effect - 0.5 * normals[i] * normals[i]
        for e in range(np.uint64(entries)):
            eta[e] += effect * multipliers[at + e]
    begin = np.uint64(first)
    if record.kind == EXPONENTIAL:
        for e in range(np.uint64(entries)):
            eta[e] = size[begin + e] * exp(eta[e])
    else:
        for e in range(np.uint64(entries)):
            eta[e] = size[begin + e] * (max(eta[e], 0.0) + log1p(exp(-abs(eta[e]))))
    return result - total(eta, 0, entries)
