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
    values, starts = doubles(out), integers(record.starts)
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
    base, coefficients, count = doubles(_base(record, room)), doubles(beta), rows * record.lanes
    copy(base, 0, doubles(record.offset), first * record.lanes, count)
    design = doubles(record.design)
    for column in range(record.columns):
        at, own = column * record.entries + first * record.lanes, coefficients[column]
        for e in range(count):
            base[e] += own * design[at + e]


@numba.njit(**NJIT)
def _place(record: Any, room: int, block: int) -> None:
    """Write the normals of a block's patterns at all nodes, and the logarithms of their density."""
    lanes, width, patterns = record.lanes, record.width, record.blocks * record.lanes
    modes, spreads = doubles(record.modes), doubles(record.spreads)
    grid, log_weights = doubles(record.grid), doubles(record.log_weights)
    reach = doubles(_reach(record, room))
    fill(reach, 0, 0.0, width * record.lanes)
    for node in range(record.nodes):
        normals = doubles(_normals(record, room, node))
        priors = doubles(_priors(record, room, node))
        fill(priors, 0, log_weights[node], record.lanes)
        for j in range(width):
            own = j * record.lanes
            copy(normals, j * record.lanes, modes, j * patterns + block * record.lanes, record.lanes)
            for i in range(j, width):
                along, at = grid[i * record.nodes + node], (j * width + i) * patterns + block * record.lanes
                for k in range(lanes):
                    normals[own + k] += along * spreads[at + k]
            for k in range(lanes):
                priors[k] -= 0.5 * normals[own + k] * normals[own + k]
            for k in range(lanes):
                reach[own + k] = max(reach[own + k], abs(normals[own + k]))


@numba.njit(**NJIT)
def _effects_at(record: Any, room: int, root: int, block: int, node: int) -> None:
    """Write the effects of a block's patterns at a node, and what their totals and the density of normals give."""
    lanes, width, patterns = record.lanes, record.width, record.blocks * record.lanes
    effects, logs = doubles(_effects(record, room)), doubles(_logs(record, room, node))
    normals = doubles(_normals(record, room, node))
    priors, totals = doubles(_priors(record, room, node)), doubles(record.totals)
    scale, from_ = doubles(root), block * record.lanes
    along = scale[0]
    for k in range(lanes):
        effects[k] = along * normals[k]
    for k in range(lanes):
        logs[k] = priors[k] + totals[from_ + k] * effects[k]
    for i in range(1, width):
        own, from_ = i * record.lanes, i * patterns + block * record.lanes
        along = scale[i * width]
        for k in range(lanes):
            effects[own + k] = along * normals[k]
        for j in range(1, i + 1):
            along, at = scale[i * width + j], j * record.lanes
            for k in range(lanes):
                effects[own + k] += along * normals[at + k]
        for k in range(lanes):
            logs[k] += totals[from_ + k] * effects[own + k]


@numba.njit(**NJIT)
def _highest(record: Any, room: int, root: int, first: int, rows: int) -> float:
    """A bound on the linear predictors of a block at its nodes, and 0."""
    lanes, width = record.lanes, record.width
    effects, reach = doubles(_effects(record, room)), doubles(_reach(record, room))
    eta, most = doubles(_work(record, room, 0)), doubles(_work(record, room, 1))
    base, multipliers = doubles(_base(record, room)), doubles(record.multipliers)
    scale = doubles(root)
    for i in range(width):
        own = i * record.lanes
        fill(effects, i * record.lanes, 0.0, record.lanes)
        for j in range(i + 1):
            along, at = abs(scale[i * width + j]), j * record.lanes
            for k in range(lanes):
                effects[own + k] += along * reach[at + k]
    fill(most, 0, 0.0, record.lanes)
    for row in range(rows):
        copy(eta, 0, base, row * record.lanes, record.lanes)
        for j in range(width):
            own, at = j * record.lanes, j * record.entries + (first + row) * record.lanes
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
    lanes = record.lanes
    base, size = doubles(_base(record, room)), doubles(record.size)
    for e in range(rows * record.lanes):
        base[e] = exp(base[e])
    if record.kind == EXPONENTIAL:
        whole = doubles(_work(record, room, 2))
        fill(whole, 0, 0.0, record.lanes)
        for row in range(rows):
            own, at = row * record.lanes, (first + row) * record.lanes
            for k in range(lanes):
                whole[k] += size[at + k] * base[own + k]


@numba.njit(**NJIT)
def _predictors(record: Any, room: int, first: int, row: int) -> None:
    """Write the linear predictors of a row of entries to the first run."""
    lanes, width = record.lanes, record.width
    eta, effects = doubles(_work(record, room, 0)), doubles(_effects(record, room))
    base, multipliers = doubles(_base(record, room)), doubles(record.multipliers)
    own, at = row * record.lanes, (first + row) * record.lanes
    for k in range(lanes):
        eta[k] = base[own + k] + multipliers[at + k] * effects[k]
    for j in range(1, width):
        own, at = j * record.lanes, j * record.entries + (first + row) * record.lanes
        for k in range(lanes):
            eta[k] += multipliers[at + k] * effects[own + k]


@numba.njit(**NJIT)
def _exponential(record: Any, room: int, node: int, first: int, rows: int, plain: bool) -> None:
    """Take sizes times the exponential of linear predictors off."""
    lanes, logs = record.lanes, doubles(_logs(record, room, node))
    if plain:
        effects, whole = doubles(_effects(record, room)), doubles(_work(record, room, 2))
        for k in range(lanes):
            logs[k] -= whole[k] * exp(effects[k])
        return
    eta, size = doubles(_work(record, room, 0)), doubles(record.size)
    for row in range(rows):
        at = (first + row) * record.lanes
        _predictors(record, room, first, row)
        for k in range(lanes):
            logs[k] -= size[at + k] * exp(eta[k])


@numba.njit(**NJIT)
def _far(record: Any, room: int, node: int, first: int, rows: int) -> None:
    """Take sizes times log(1 + exp) of linear predictors of any size off."""
    lanes, logs = record.lanes, doubles(_logs(record, room, node))
    eta, size = doubles(_work(record, room, 0)), doubles(record.size)
    for row in range(rows):
        at = (first + row) * record.lanes
        _predictors(record, room, first, row)
        for k in range(lanes):
            logs[k] -= size[at + k] * (max(eta[k], 0.0) + log1p(exp(-abs(eta[k]))))


@numba.njit(**NJIT)
def _logistic(record: Any, room: int, node: int, first: int, rows: int, plain: bool, highest: float) -> None:
    """The same of moderate ones; of single trials by one logarithm of a product, as long as that is not too large."""
    lanes, logs = record.lanes, doubles(_logs(record, room, node))
    odds, products = doubles(_work(record, room, 0)), doubles(_work(record, room, 1))
    effects, multiples = doubles(_effects(record, room)), doubles(_work(record, room, 2))
    base, size = doubles(_base(record, room)), doubles(record.size)
    single, factors, most = integers(record.single), 0, int(FULL / (highest + 0.7))
    fill(products, 0, 1.0, record.lanes)
    if plain:
        for k in range(lanes):
            multiples[k] = exp(effects[k])
    for row in range(rows):
        at, own = (first + row) * record.lanes, row * record.lanes
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
    for k in range(lanes):
        logs[k] -= log(products[k])
        products[k] = 1.0


@numba.njit(**NJIT)
def _log_sums(record: Any, room: int, block: int) -> float:
    """The logarithms of a block's integrals, each as often as it occurs, summed."""
    lanes = record.lanes
    peak, sums = doubles(_work(record, room, 0)), doubles(_work(record, room, 1))
    counts, volumes = doubles(record.counts), doubles(record.log_volumes)
    copy(peak, 0, doubles(_logs(record, room, 0)), 0, record.lanes)
    for node in range(1, record.nodes):
        logs = doubles(_logs(record, room, node))
        for k in range(lanes):
            peak[k] = max(peak[k], logs[k])
    fill(sums, 0, 0.0, record.lanes)
    for node in range(record.nodes):
        logs = doubles(_logs(record, room, node))
        for k in range(lanes):
            sums[k] += exp(logs[k] - peak[k])
    at = block * record.lanes
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
    starts, lanes = integers(record.starts), record.lanes
    first, rows = starts[block], starts[block + 1] - starts[block]
    at, size = 8 * first * lanes, rows * lanes
    _place(record, room, block)
    copy(doubles(_base(record, room)), 0, doubles(predictors + at), 0, size)
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
    fill(doubles(scores + at), 0, 0.0, size)
    for node in range(record.nodes):
        copy(doubles(_work(record, room, 1)), 0, doubles(_logs(record, room, node)), 0, lanes)
        _effects_at(record, room, root, block, node)
        fill(doubles(_reach(record, room)), 0, 0.0, record.width * lanes)
        _take_means(record, room, first, rows, plain, scores + at)
        _add_by_root(record, room, block, node, by_root)
    return result


@numba.njit(**NJIT)
def _weigh(record: Any, room: int, block: int) -> None:
    """Replace the logarithms of nodes' terms by the terms' shares in the integrals, as often as these occur."""
    lanes, at = record.lanes, block * record.lanes
    counts, volumes = doubles(record.counts), doubles(record.log_volumes)
    integrals = doubles(_work(record, room, 0))
    for node in range(record.nodes):
        logs = doubles(_logs(record, room, node))
        for k in range(lanes):
            logs[k] = counts[at + k] * exp(logs[k] + volumes[at + k] - integrals[k])


@numba.njit(**NJIT)
def _take_means(record: Any, room: int, first: int, rows: int, plain: bool, scores: int) -> None:
    """Take a node's share of each entry's mean off its score, and sum means by what effects are multiplied by.

    Shares are in the second run; sums take the place of the normals' reach.
    """
    lanes, width, out = record.lanes, record.width, doubles(scores)
    mean, weight = doubles(_work(record, room, 0)), doubles(_work(record, room, 1))
    multiples, effects = doubles(_work(record, room, 2)), doubles(_effects(record, room))
    base, size = doubles(_base(record, room)), doubles(record.size)
    multipliers = doubles(record.multipliers)
    sums, exponential = doubles(_reach(record, room)), record.kind == EXPONENTIAL
    if plain:
        for k in range(lanes):
            multiples[k] = exp(effects[k])
    for row in range(rows):
        own, at = row * record.lanes, (first + row) * record.lanes
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
            to, by = i * record.lanes, i * record.entries + at
            for k in range(lanes):
                sums[to + k] += multipliers[by + k] * mean[k]


@numba.njit(**NJIT)
def _add_by_root(record: Any, room: int, block: int, node: int, by_root: int) -> None:
    """Add a node's share of the derivative by Λ: that by each effect times each normal."""
    lanes, width, patterns = record.lanes, record.width, record.blocks * record.lanes
    rest, weight = doubles(_work(record, room, 0)), doubles(_work(record, room, 1))
    sums, totals = doubles(_reach(record, room)), doubles(record.totals)
    normals, out = doubles(_normals(record, room, node)), doubles(by_root)
    for i in range(width):
        own, at = i * record.lanes, i * patterns + block * record.lanes
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
    starts, width, patterns = integers(record.starts), record.width, record.blocks * record.lanes
    block, lane = pattern // record.lanes, pattern % record.lanes
    rows, first = starts[block + 1] - starts[block], starts[block] * record.lanes + lane
    normals, middle, step = doubles(_normals(record, room, 0)), doubles(centre), doubles(z)
    spreads = doubles(record.spreads)
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
    base, coefficients = doubles(_base(record, room)), doubles(beta)
    offset, design = doubles(record.offset), doubles(record.design)
    step = record.lanes
    for e in range(rows):
        base[e] = offset[first + e * step]
    for column in range(record.columns):
        at, own = column * record.entries + first, coefficients[column]
        for e in range(rows):
            base[e] += own * design[at + e * step]


@numba.njit(**NJIT)
def _log_conditional(record: Any, room: int, pattern: int, root: int, first: int, rows: int) -> float:
    """The log density of a group's normals, up to a constant."""
    width, patterns, step = record.width, record.blocks * record.lanes, record.lanes
    base, eta = doubles(_base(record, room)), doubles(_base(record, room) + 8 * record.longest)
    normals, scale = doubles(_normals(record, room, 0)), doubles(root)
    size, totals = doubles(record.size), doubles(record.totals)
    multipliers, result = doubles(record.multipliers), 0.0
    copy(eta, 0, base, 0, rows)
    for i in range(width):
        effect, at = 0.0, i * record.entries + first
        for j in range(i + 1):
            effect += scale[i * width + j] * normals[j]
        result += totals[i * patterns + pattern] * effect - 0.5 * normals[i] * normals[i]
        for e in range(rows):
            eta[e] += effect * multipliers[at + e * step]
    if record.kind == EXPONENTIAL:
        for e in range(rows):
            eta[e] = exp(eta[e])
    else:
        for e in range(rows):
            eta[e] = max(eta[e], 0.0) + log1p(exp(-abs(eta[e])))
    for e in range(rows):
        result -= size[first + e * step] * eta[e]
    return result
