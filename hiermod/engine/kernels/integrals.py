"""The log likelihood of groups with their effects integrated out by quadrature, under a canonical link.

Groups with the same data are one pattern. Patterns of about as many entries, different rows, stand side by side in the
lanes of a block, so that each step is one for all of them. A pattern's nodes are standard normals o, which stay where
its mode and spread put them; effects are Λ o. The same of one group is the density of its effects given the
hyperparameters.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels import plain as plain_functions
from hiermod.engine.kernels.numbers.elementary import exp, log, log1p
from hiermod.engine.kernels.numbers.vector_ops import copy, dot, fill
from hiermod.engine.kernels.record import EXPONENTIAL, LOGISTIC
from hiermod.engine.kernels.views import doubles, integers

FAR = 200.0  # linear predictors beyond which 1 + exp(eta) is taken by its logarithm alone
FULL = 600.0  # the logarithm of the largest product of such terms that is formed


@numba.njit(**NJIT)
def log_likelihoods(record: Any, room: int, points: int, beta: int, root: int, out: int) -> None:
    """Write sums of the logarithms of the patterns' integrals, each as often as it occurs, at points."""
    values, starts = doubles(out, points), integers(record.starts, record.blocks + 1)
    fill(values, 0, 0.0, points)
    for block in range(record.blocks):
        first, rows = starts[block], starts[block + 1] - starts[block]
        _place(record, room, block)
        for point in range(points):
            _linear(record, room, beta + 8 * point * record.columns, first, rows)
            scale = root + 8 * point * record.width * record.width
            highest = _highest(record, room, scale, first, rows)
            plain = bool(record.plain) and not (record.kind == LOGISTIC and highest > FAR)
            if plain:
                _exponentials(record, room, first, rows)
            for node in range(record.nodes):
                _effects_at(record, room, scale, block, node)
                if record.kind == EXPONENTIAL:
                    _exponential(record, room, node, first, rows, plain)
                elif highest > FAR:
                    _far(record, room, node, first, rows)
                else:
                    _logistic(record, room, node, first, rows, plain, highest)
            values[point] += _log_sums(record, room, block)


# Where an evaluation's own arrays stand in its room, each with the lanes of a block side by side.


room_of_integrals = numba.njit(**NJIT)(plain_functions.room_of_integrals)


@numba.njit(**NJIT)
def room_size(record: Any) -> int:
    """How many numbers of its own an evaluation needs."""
    return room_of_integrals(record.lanes, record.width, record.nodes, record.longest)


@numba.njit(**NJIT)
def _normals(record: Any, room: int, node: int) -> int:
    """A node's normals, shape ``(width, lanes)``; the density of a single group has its own here."""
    return room + 8 * record.lanes * record.width * node


@numba.njit(**NJIT)
def _priors(record: Any, room: int, node: int) -> int:
    """The logarithms of their density and of the node's weight."""
    return room + 8 * record.lanes * (record.width * record.nodes + node)


@numba.njit(**NJIT)
def _logs(record: Any, room: int, node: int) -> int:
    """The logarithms of a node's terms."""
    return room + 8 * record.lanes * ((record.width + 1) * record.nodes + node)


@numba.njit(**NJIT)
def _effects(record: Any, room: int) -> int:
    """A node's effects, shape ``(width, lanes)``."""
    return room + 8 * record.lanes * (record.width + 2) * record.nodes


@numba.njit(**NJIT)
def _reach(record: Any, room: int) -> int:
    """The largest size of each normal at all nodes, shape ``(width, lanes)``."""
    return room + 8 * record.lanes * ((record.width + 2) * record.nodes + record.width)


@numba.njit(**NJIT)
def _work(record: Any, room: int, place: int) -> int:
    """One of three runs of numbers that are worked on."""
    return room + 8 * record.lanes * ((record.width + 2) * record.nodes + 2 * record.width + place)


@numba.njit(**NJIT)
def _base(record: Any, room: int) -> int:
    """Each entry's linear predictor without effects, or the exponential of it, shape ``(rows, lanes)``."""
    return room + 8 * record.lanes * ((record.width + 2) * record.nodes + 2 * record.width + 3)


@numba.njit(**NJIT)
def _linear(record: Any, room: int, beta: int, first: int, rows: int) -> None:
    base, coefficients = doubles(_base(record, room), record.lanes * rows), doubles(beta, record.columns)
    count = np.uint64(rows * record.lanes)
    copy(base, 0, doubles(record.offset, record.entries), first * record.lanes, rows * record.lanes)
    design = doubles(record.design, record.columns * record.entries)
    for column in range(record.columns):
        at, own = np.uint64(column * record.entries + first * record.lanes), coefficients[column]
        for e in range(count):
            base[e] += own * design[at + e]


@numba.njit(**NJIT)
def _place(record: Any, room: int, block: int) -> None:
    """Write the normals of a block's patterns at all nodes, and the logarithms of their density."""
    lanes, width, patterns = np.uint64(record.lanes), record.width, record.blocks * record.lanes
    modes, spreads = doubles(record.modes, width * patterns), doubles(record.spreads, width * width * patterns)
    grid, log_weights = doubles(record.grid, width * record.nodes), doubles(record.log_weights, record.nodes)
    reach = doubles(_reach(record, room), width * record.lanes)
    fill(reach, 0, 0.0, width * record.lanes)
    for node in range(record.nodes):
        normals = doubles(_normals(record, room, node), width * record.lanes)
        priors = doubles(_priors(record, room, node), record.lanes)
        fill(priors, 0, log_weights[node], record.lanes)
        for j in range(width):
            own = np.uint64(j * record.lanes)
            copy(normals, j * record.lanes, modes, j * patterns + block * record.lanes, record.lanes)
            for i in range(j, width):
                along, at = grid[i * record.nodes + node], np.uint64((j * width + i) * patterns + block * record.lanes)
                for k in range(lanes):
                    normals[own + k] += along * spreads[at + k]
            for k in range(lanes):
                priors[k] -= 0.5 * normals[own + k] * normals[own + k]
            for k in range(lanes):
                reach[own + k] = max(reach[own + k], abs(normals[own + k]))


@numba.njit(**NJIT)
def _effects_at(record: Any, room: int, root: int, block: int, node: int) -> None:
    """Write the effects of a block's patterns at a node, and what their totals and the density of normals give."""
    lanes, width, patterns = np.uint64(record.lanes), record.width, record.blocks * record.lanes
    effects, logs = doubles(_effects(record, room), width * lanes), doubles(_logs(record, room, node), record.lanes)
    normals = doubles(_normals(record, room, node), width * record.lanes)
    priors, totals = doubles(_priors(record, room, node), record.lanes), doubles(record.totals, width * patterns)
    scale, from_ = doubles(root, width * width), np.uint64(block * record.lanes)
    along = scale[0]
    for k in range(lanes):
        effects[k] = along * normals[k]
    for k in range(lanes):
        logs[k] = priors[k] + totals[from_ + k] * effects[k]
    for i in range(1, width):
        own, from_ = np.uint64(i * record.lanes), np.uint64(i * patterns + block * record.lanes)
        along = scale[i * width]
        for k in range(lanes):
            effects[own + k] = along * normals[k]
        for j in range(1, i + 1):
            along, at = scale[i * width + j], np.uint64(j * record.lanes)
            for k in range(lanes):
                effects[own + k] += along * normals[at + k]
        for k in range(lanes):
            logs[k] += totals[from_ + k] * effects[own + k]


@numba.njit(**NJIT)
def _highest(record: Any, room: int, root: int, first: int, rows: int) -> float:
    """A bound on the linear predictors of a block at its nodes, and 0."""
    lanes, width = np.uint64(record.lanes), record.width
    effects, reach = doubles(_effects(record, room), width * lanes), doubles(_reach(record, room), width * lanes)
    eta, most = doubles(_work(record, room, 0), lanes), doubles(_work(record, room, 1), lanes)
    base, multipliers = doubles(_base(record, room), lanes * rows), doubles(record.multipliers, width * record.entries)
    scale = doubles(root, width * width)
    for i in range(width):
        own = np.uint64(i * record.lanes)
        fill(effects, i * record.lanes, 0.0, record.lanes)
        for j in range(i + 1):
            along, at = abs(scale[i * width + j]), np.uint64(j * record.lanes)
            for k in range(lanes):
                effects[own + k] += along * reach[at + k]
    fill(most, 0, 0.0, record.lanes)
    for row in range(rows):
        copy(eta, 0, base, row * record.lanes, record.lanes)
        for j in range(width):
            own, at = np.uint64(j * record.lanes), np.uint64(j * record.entries + (first + row) * record.lanes)
            for k in range(lanes):
                eta[k] += abs(multipliers[at + k]) * effects[own + k]
        for k in range(lanes):
            most[k] = max(most[k], eta[k])
    highest = 0.0
    for k in range(lanes):
        highest = max(highest, most[k])
    return highest


@numba.njit(**NJIT)
def _exponentials(record: Any, room: int, first: int, rows: int) -> None:
    """Replace linear predictors by their exponentials; under a logarithmic link, sum these up."""
    lanes = np.uint64(record.lanes)
    base, size = doubles(_base(record, room), record.lanes * rows), doubles(record.size, record.entries)
    for e in range(np.uint64(rows * record.lanes)):
        base[e] = exp(base[e])
    if record.kind == EXPONENTIAL:
        whole = doubles(_work(record, room, 2), record.lanes)
        fill(whole, 0, 0.0, record.lanes)
        for row in range(rows):
            own, at = np.uint64(row * record.lanes), np.uint64((first + row) * record.lanes)
            for k in range(lanes):
                whole[k] += size[at + k] * base[own + k]


@numba.njit(**NJIT)
def _predictors(record: Any, room: int, first: int, row: int) -> None:
    """Write the linear predictors of a row of entries to the first run."""
    lanes, width = np.uint64(record.lanes), record.width
    eta, effects = doubles(_work(record, room, 0), lanes), doubles(_effects(record, room), width * lanes)
    base, multipliers = (
        doubles(_base(record, room), record.entries),
        doubles(record.multipliers, width * record.entries),
    )
    own, at = np.uint64(row * record.lanes), np.uint64((first + row) * record.lanes)
    for k in range(lanes):
        eta[k] = base[own + k] + multipliers[at + k] * effects[k]
    for j in range(1, width):
        own, at = np.uint64(j * record.lanes), np.uint64(j * record.entries + (first + row) * record.lanes)
        for k in range(lanes):
            eta[k] += multipliers[at + k] * effects[own + k]


@numba.njit(**NJIT)
def _exponential(record: Any, room: int, node: int, first: int, rows: int, plain: bool) -> None:
    """Take sizes times the exponential of linear predictors off."""
    lanes, logs = np.uint64(record.lanes), doubles(_logs(record, room, node), record.lanes)
    if plain:
        effects, whole = doubles(_effects(record, room), record.lanes), doubles(_work(record, room, 2), record.lanes)
        for k in range(lanes):
            logs[k] -= whole[k] * exp(effects[k])
        return
    eta, size = doubles(_work(record, room, 0), record.lanes), doubles(record.size, record.entries)
    for row in range(rows):
        at = np.uint64((first + row) * record.lanes)
        _predictors(record, room, first, row)
        for k in range(lanes):
            logs[k] -= size[at + k] * exp(eta[k])


@numba.njit(**NJIT)
def _far(record: Any, room: int, node: int, first: int, rows: int) -> None:
    """Take sizes times log(1 + exp) of linear predictors of any size off."""
    lanes, logs = np.uint64(record.lanes), doubles(_logs(record, room, node), record.lanes)
    eta, size = doubles(_work(record, room, 0), record.lanes), doubles(record.size, record.entries)
    for row in range(rows):
        at = np.uint64((first + row) * record.lanes)
        _predictors(record, room, first, row)
        for k in range(lanes):
            logs[k] -= size[at + k] * (max(eta[k], 0.0) + log1p(exp(-abs(eta[k]))))


@numba.njit(**NJIT)
def _logistic(record: Any, room: int, node: int, first: int, rows: int, plain: bool, highest: float) -> None:
    """The same of moderate ones; of single trials by one logarithm of a product, as long as that is not too large."""
    lanes, logs = np.uint64(record.lanes), doubles(_logs(record, room, node), record.lanes)
    odds, products = doubles(_work(record, room, 0), record.lanes), doubles(_work(record, room, 1), record.lanes)
    effects, multiples = doubles(_effects(record, room), record.lanes), doubles(_work(record, room, 2), record.lanes)
    base, size = doubles(_base(record, room), record.lanes * rows), doubles(record.size, record.entries)
    single, factors, most = integers(record.single, record.rows), 0, int(FULL / (highest + 0.7))
    fill(products, 0, 1.0, record.lanes)
    if plain:
        for k in range(lanes):
            multiples[k] = exp(effects[k])
    for row in range(rows):
        at, own = np.uint64((first + row) * record.lanes), np.uint64(row * record.lanes)
        if not plain:
            _predictors(record, room, first, row)
            for k in range(lanes):
                odds[k] = exp(odds[k])
        elif not single[first + row]:
            for k in range(lanes):
                odds[k] = base[own + k] * multiples[k]
        if not single[first + row]:
            for k in range(lanes):
                logs[k] -= size[at + k] * log(1.0 + odds[k])
            continue
        if plain:
            for k in range(lanes):
                products[k] *= 1.0 + base[own + k] * multiples[k]
        else:
            for k in range(lanes):
                products[k] *= 1.0 + odds[k]
        factors += 1
        if factors == most:
            _take_off(logs, products, record.lanes)
            factors = 0
    if factors:
        _take_off(logs, products, record.lanes)


@numba.njit(**NJIT)
def _take_off(logs: Any, products: Any, lanes: int) -> None:
    for k in range(np.uint64(lanes)):
        logs[k] -= log(products[k])
        products[k] = 1.0


@numba.njit(**NJIT)
def _log_sums(record: Any, room: int, block: int) -> float:
    """The logarithms of a block's integrals, each as often as it occurs, summed."""
    lanes, patterns = np.uint64(record.lanes), record.blocks * record.lanes
    peak, sums = doubles(_work(record, room, 0), record.lanes), doubles(_work(record, room, 1), record.lanes)
    counts, volumes = doubles(record.counts, patterns), doubles(record.log_volumes, patterns)
    copy(peak, 0, doubles(_logs(record, room, 0), record.lanes), 0, record.lanes)
    for node in range(1, record.nodes):
        logs = doubles(_logs(record, room, node), record.lanes)
        for k in range(lanes):
            peak[k] = max(peak[k], logs[k])
    fill(sums, 0, 0.0, record.lanes)
    for node in range(record.nodes):
        logs = doubles(_logs(record, room, node), record.lanes)
        for k in range(lanes):
            sums[k] += exp(logs[k] - peak[k])
    at = np.uint64(block * record.lanes)
    for k in range(lanes):
        peak[k] += log(sums[k]) + volumes[at + k]
    return dot(peak, 0, counts, block * record.lanes, record.lanes)


@numba.njit(**NJIT)
def scored(
    record: Any, room: int, root: int, by_root: int, block: int, predictors: int, scores: int
) -> float:  # fmt: skip
    """Sum of the logarithms of a block's integrals, given its entries' linear predictors without effects.

    Writes the derivatives by these, and adds that by Λ: the conditional ones, averaged over the nodes (Fisher's
    identity). Predictors and scores have the shape ``(rows of all blocks, lanes)``.
    """
    starts, lanes = integers(record.starts, record.blocks + 1), record.lanes
    first, rows = starts[block], starts[block + 1] - starts[block]
    at, size = 8 * first * lanes, rows * lanes
    _place(record, room, block)
    copy(doubles(_base(record, room), size), 0, doubles(predictors + at, size), 0, size)
    highest = _highest(record, room, root, first, rows)
    far = record.kind == LOGISTIC and highest > FAR
    plain = bool(record.plain) and not far
    if plain:
        _exponentials(record, room, first, rows)
    for node in range(record.nodes):
        _effects_at(record, room, root, block, node)
        if record.kind == EXPONENTIAL:
            _exponential(record, room, node, first, rows, plain)
        elif far:
            _far(record, room, node, first, rows)
        else:
            _logistic(record, room, node, first, rows, plain, highest)
    result = _log_sums(record, room, block)
    _weigh(record, room, block)
    fill(doubles(scores + at, size), 0, 0.0, size)
    for node in range(record.nodes):
        copy(doubles(_work(record, room, 1), lanes), 0, doubles(_logs(record, room, node), lanes), 0, lanes)
        _effects_at(record, room, root, block, node)
        fill(doubles(_reach(record, room), record.width * lanes), 0, 0.0, record.width * lanes)
        _take_means(record, room, first, rows, plain, scores + at)
        _add_by_root(record, room, block, node, by_root)
    return result


@numba.njit(**NJIT)
def _weigh(record: Any, room: int, block: int) -> None:
    """Replace the logarithms of nodes' terms by the terms' shares in the integrals, as often as these occur."""
    lanes, patterns, at = np.uint64(record.lanes), record.blocks * record.lanes, np.uint64(block * record.lanes)
    counts, volumes = doubles(record.counts, patterns), doubles(record.log_volumes, patterns)
    integrals = doubles(_work(record, room, 0), record.lanes)
    for node in range(record.nodes):
        logs = doubles(_logs(record, room, node), record.lanes)
        for k in range(lanes):
            logs[k] = counts[at + k] * exp(logs[k] + volumes[at + k] - integrals[k])


@numba.njit(**NJIT)
def _take_means(record: Any, room: int, first: int, rows: int, plain: bool, scores: int) -> None:
    """Take a node's share of each entry's mean off its score, and sum means by what effects are multiplied by.

    Shares are in the second run; sums take the place of the normals' reach.
    """
    lanes, width, out = np.uint64(record.lanes), record.width, doubles(scores, rows * record.lanes)
    mean, weight = doubles(_work(record, room, 0), record.lanes), doubles(_work(record, room, 1), record.lanes)
    multiples, effects = doubles(_work(record, room, 2), record.lanes), doubles(_effects(record, room), record.lanes)
    base, size = doubles(_base(record, room), record.lanes * rows), doubles(record.size, record.entries)
    multipliers = doubles(record.multipliers, width * record.entries)
    sums, exponential = doubles(_reach(record, room), width * record.lanes), record.kind == EXPONENTIAL
    if plain:
        for k in range(lanes):
            multiples[k] = exp(effects[k])
    for row in range(rows):
        own, at = np.uint64(row * record.lanes), np.uint64((first + row) * record.lanes)
        if plain and exponential:
            for k in range(lanes):
                mean[k] = size[at + k] * base[own + k] * multiples[k]
        elif plain:
            for k in range(lanes):
                mean[k] = size[at + k] - size[at + k] / (1.0 + base[own + k] * multiples[k])
        else:
            _predictors(record, room, first, row)
            if exponential:
                for k in range(lanes):
                    mean[k] = size[at + k] * exp(mean[k])
            else:
                for k in range(lanes):
                    mean[k] = size[at + k] / (1.0 + exp(-mean[k]))
        for k in range(lanes):
            out[own + k] -= weight[k] * mean[k]
        for i in range(width):
            to, by = np.uint64(i * record.lanes), np.uint64(i * record.entries) + at
            for k in range(lanes):
                sums[to + k] += multipliers[by + k] * mean[k]


@numba.njit(**NJIT)
def _add_by_root(record: Any, room: int, block: int, node: int, by_root: int) -> None:
    """Add a node's share of the derivative by Λ: that by each effect times each normal."""
    lanes, width, patterns = np.uint64(record.lanes), record.width, record.blocks * record.lanes
    rest, weight = doubles(_work(record, room, 0), record.lanes), doubles(_work(record, room, 1), record.lanes)
    sums, totals = doubles(_reach(record, room), width * record.lanes), doubles(record.totals, width * patterns)
    normals, out = doubles(_normals(record, room, node), width * record.lanes), doubles(by_root, width * width)
    for i in range(width):
        own, at = np.uint64(i * record.lanes), np.uint64(i * patterns + block * record.lanes)
        for k in range(lanes):
            rest[k] = weight[k] * (totals[at + k] - sums[own + k])
        for j in range(i + 1):
            out[i * width + j] += dot(rest, 0, normals, j * record.lanes, record.lanes)


@numba.njit(**NJIT)
def log_ratio(
    record: Any, room: int, pattern: int, beta: int, root: int, centre: int, z: int, wider: float, freedom: float
) -> float:  # fmt: skip
    """The density of a group's normals over that of proposals, a multivariate t about a centre, where it is 1.

    A proposal is the centre and `wider` times the pattern's spread times z. Patterns are counted as their lanes are.
    """
    starts, width, patterns = integers(record.starts, record.blocks + 1), record.width, record.blocks * record.lanes
    block, lane = pattern // record.lanes, pattern % record.lanes
    rows, first = starts[block + 1] - starts[block], starts[block] * record.lanes + lane
    normals, middle, step = doubles(_normals(record, room, 0), width), doubles(centre, width), doubles(z, width)
    spreads = doubles(record.spreads, width * width * patterns)
    _linear_of_lane(record, room, beta, first, rows)
    copy(normals, 0, middle, 0, width)
    result, squares = -_log_conditional(record, room, pattern, root, first, rows), 0.0
    for i in range(width):
        squares += step[i] * step[i]
        for j in range(width):
            normals[i] += wider * spreads[(i * width + j) * patterns + pattern] * step[j]
    result += _log_conditional(record, room, pattern, root, first, rows)
    return result + 0.5 * (freedom + width) * math.log(1.0 + squares / freedom)


@numba.njit(**NJIT)
def _linear_of_lane(record: Any, room: int, beta: int, first: int, rows: int) -> None:
    base, coefficients = doubles(_base(record, room), rows), doubles(beta, record.columns)
    offset, design = doubles(record.offset, record.entries), doubles(record.design, record.columns * record.entries)
    step = np.uint64(record.lanes)
    for e in range(np.uint64(rows)):
        base[e] = offset[np.uint64(first) + e * step]
    for column in range(record.columns):
        at, own = np.uint64(column * record.entries + first), coefficients[column]
        for e in range(np.uint64(rows)):
            base[e] += own * design[at + e * step]


@numba.njit(**NJIT)
def _log_conditional(record: Any, room: int, pattern: int, root: int, first: int, rows: int) -> float:
    """The log density of a group's normals, up to a constant."""
    width, patterns, step = record.width, record.blocks * record.lanes, np.uint64(record.lanes)
    base, eta = doubles(_base(record, room), rows), doubles(_base(record, room) + 8 * record.longest, rows)
    normals, scale = doubles(_normals(record, room, 0), width), doubles(root, width * width)
    size, totals = doubles(record.size, record.entries), doubles(record.totals, width * patterns)
    multipliers, result = doubles(record.multipliers, width * record.entries), 0.0
    copy(eta, 0, base, 0, rows)
    for i in range(width):
        effect, at = 0.0, np.uint64(i * record.entries + first)
        for j in range(i + 1):
            effect += scale[i * width + j] * normals[j]
        result += totals[i * patterns + pattern] * effect - 0.5 * normals[i] * normals[i]
        for e in range(np.uint64(rows)):
            eta[e] += effect * multipliers[at + e * step]
    if record.kind == EXPONENTIAL:
        for e in range(np.uint64(rows)):
            eta[e] = exp(eta[e])
    else:
        for e in range(np.uint64(rows)):
            eta[e] = max(eta[e], 0.0) + log1p(exp(-abs(eta[e])))
    begin = np.uint64(first)
    for e in range(np.uint64(rows)):
        result -= size[begin + e * step] * eta[e]
    return result
