"""The counts and arrays of a problem's record: what compiled code reads, in the coordinates of the public model."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from hiermod.engine.kernels import record
from hiermod.engine.kernels.plain import log_normal_cdf, stride_of
from hiermod.engine.kernels.record import (
    BLOCK,
    FIELDS,
    JOB,
    KERNELS,
    LANES,
    LOG_ODDS,
    ORDERED_KERNELS,
    PARAMETER_LINKS,
    PRIOR_KERNELS,
    ROW_KERNELS,
    SLOTS,
    TABLES,
    THREAD_ROOM,
    WORKSPACE_ARRAYS,
)
from hiermod.engine.layout.problem import Hyperparameter, Problem
from hiermod.modeling.thresholds import is_of_chances
from hiermod.priors.distributions import Prior

Arrays = dict[str, np.ndarray]
CANONICAL = ("trials_logit", "one_trial_logit", "poisson_log")  # the log likelihood has Σ response · linear predictor
PART, MOST_PARTS = 20_000, 8  # rows that are worth a thread, and how many threads there can be
FULL = 0.25  # share of effects that a column must reach to be kept whole
NEWTON = 30
TRANSFORMS = {  # by whether a prior's support has a lower and an upper end
    (True, True): record.INTERVAL, (True, False): record.ABOVE, (False, True): record.BELOW,
    (False, False): record.LINE_ITSELF,
}  # fmt: skip


def public_arrays(problem: Problem) -> tuple[dict[str, int], Arrays]:
    """Counts and arrays for the coordinates of the public model: non-centred, and nothing linked to anything."""
    effects = problem.coefficients - problem.common
    hyperparameters, linear = len(problem.hyperparameters), problem.linear
    matrices = sum(factor.groups * factor.width**2 for factor in problem.factors)
    counts = {
        "rows": len(problem.response), "segments": len(problem.segments), "common": problem.common, "linear": linear,
        "coefficients": problem.coefficients, "hyperparameters": hyperparameters, "auxiliary": problem.auxiliary,
        "factors": len(problem.factors), "matrices": matrices, "rank": 0, "by_products": int(problem.is_gaussian),
        "has_offset": int(problem.offset.any()), "is_sorted": int(len(problem.group_ends) > 0),
        "parts": parts_of(problem), "threads": 1, "parameters": len(problem.spec.family.single),
        "monotonic": len(problem.monotonic), **_threshold_counts(problem), **_integration_counts(problem),
    }  # fmt: skip
    unlinked = [sparse.csr_array((factor.groups * factor.width, problem.coefficients)) for factor in problem.factors]
    common = np.zeros(linear, TABLES["common_table"])
    common["variance"] = 1.0
    arrays = {
        "information": np.zeros(matrices), "score": np.zeros(effects), "mode": np.zeros(problem.coefficients),
        "scale": np.array([1.0, 0.0]), "linear_map": np.eye(linear), "common_table": common,
        "common_spread": np.zeros(linear * hyperparameters), "directions": np.zeros(0), "stretch": np.zeros(0),
        "hyperparameter_centre": np.zeros(hyperparameters), "hyperparameter_map": np.eye(hyperparameters),
        "joint_information": np.zeros(0), "joint_numbers": np.zeros(0),
        **_rows(problem), **_factor_tables(problem), **_priors(problem), **_products(problem),
        **_threshold_arrays(problem), "monotonic_table": _monotonic(problem),
        **coupling_arrays(unlinked),
    }  # fmt: skip
    more_counts, more_arrays = _workspace(problem, 0, 0, 0 if problem.integration is None else problem.integration.room)
    return {**counts, **more_counts}, {**arrays, **more_arrays}


def parts_of(problem: Problem) -> int:
    """How many parts of rows may be scored by threads; none where there are not enough rows for two."""
    if problem.integrated is not None:
        return 0
    parts = len(problem.response) // PART
    return min(MOST_PARTS, parts) if parts > 1 else 0


def _integration_counts(problem: Problem) -> dict[str, int]:
    own = problem.integration
    return {"integrated": 0 if own is None else own.kind, "integrals": 0 if own is None else own.memory.address}


def _rows(problem: Problem) -> Arrays:
    multipliers = [numbers for factor in problem.factors for numbers in factor.multipliers]
    plain = (problem.design == 1.0).all(axis=1) if problem.common else np.zeros(0)
    kernels = ROW_KERNELS if problem.by_rows else {**KERNELS, **ORDERED_KERNELS}
    segments = [(kernels[segment.kernel], segment.first, segment.last) for segment in problem.segments]
    return {
        "segment_table": np.array(segments, TABLES["segment_table"]),
        "sums": problem.matrix.T @ np.where(canonical(problem), problem.response, 0.0),
        "group_ends": problem.group_ends, "design": problem.design, "offset": problem.offset,
        "response": problem.response, "size": problem.size, "count": problem.count,
        "upper": problem.bounds[0], "least": problem.bounds[1], "most": problem.bounds[2],
        "multipliers": np.array(multipliers, dtype=float),
        "codes": np.array([factor.codes for factor in problem.factors], dtype=int),
        "plain_columns": plain.astype(int),
        "plain_multipliers": np.array([(numbers == 1.0).all() for numbers in multipliers], dtype=int),
        "parameter_table": np.array(_parameters(problem), TABLES["parameter_table"]),
        "common_slots": problem.common_slots,
        "effect_slots": np.array([slot for factor in problem.factors for slot in factor.slots], dtype=int),
    }  # fmt: skip


def _parameters(problem: Problem) -> list[tuple[int, int]]:
    """Of each parameter beside mu: its link, and where its one value stands; a value is taken as it is.

    Kernels take the log odds of parameters between 0 and 1.
    """
    spec, found = problem.spec, []
    scalars = [each.name for each in problem.hyperparameters[problem.auxiliary :]]
    for own in spec.family.single:
        link = spec.predictors[own.name].link.name if own.name in spec.predictors else "identity"
        scalar = scalars.index(own.name) if own.name in scalars else -1
        found.append((PARAMETER_LINKS[link] + LOG_ODDS * (own.support == "unit"), scalar))
    return found


def canonical(problem: Problem) -> np.ndarray:
    """The rows whose responses enter by their sums with the design alone."""
    rows = np.zeros(len(problem.response), dtype=bool)
    for segment in problem.segments:
        rows[segment.first : segment.last] = segment.kernel in CANONICAL and not problem.by_rows
    return rows


def _factor_tables(problem: Problem) -> Arrays:
    factors: list[tuple[int, ...]] = []
    terms: list[tuple[int, ...]] = []
    sets: list[tuple[int, ...]] = []
    multiplier, information, root = 0, 0, 0
    for factor in problem.factors:
        effects, plain, own = factor.start - problem.common, factor.plain, factor.of_set
        factors.append((factor.groups, factor.width, factor.start, problem.linear + effects, effects, information,
                        root, len(terms), len(plain), multiplier, len(sets) if own else -1))  # fmt: skip
        terms += [(term.first, term.columns, term.sds, term.partial, term.step) for term in plain]
        sets += [(own.kind, own.columns, own.shared, own.slab, own.single, own.sigma)] if own else []
        multiplier += factor.width
        information += factor.groups * factor.width**2
        root += factor.width**2
    if (last := problem.integrated) is not None:
        factors.append((0, last.width, 0, 0, 0, 0, root, len(terms), len(last.plain), 0, -1))
        terms += [(term.first, term.columns, term.sds, term.partial, term.step) for term in last.plain]
    return {"factor_table": np.array(factors, TABLES["factor_table"]),
            "term_table": np.array(terms, TABLES["term_table"]),
            "shrinkage_table": np.array(sets, TABLES["shrinkage_table"])}  # fmt: skip


def _priors(problem: Problem) -> Arrays:
    priors = [_standard(prior) for prior in problem.priors]
    hyperparameters = [_hyperparameter(each) for each in problem.hyperparameters]
    if (order := problem.thresholds) is not None:  # their prior is one of all
        priors[0] = (PRIOR_KERNELS["uniform"], 0.0, 0.0, 0.0)
        transform = record.ABOVE if order.increasing else record.LINE_ITSELF
        for place in range(problem.auxiliary, problem.auxiliary + order.count - 1):
            hyperparameters[place] = transform, *priors[0][:1], -1, *priors[0][1:], 0.0, np.inf, 1.0
    return {"prior_table": np.array(priors, TABLES["prior_table"]),
            "hyperparameter_table": np.array(hyperparameters, TABLES["hyperparameter_table"])}  # fmt: skip


def _monotonic(problem: Problem) -> np.ndarray:
    rows = [(own.whole, own.sticks, own.first, own.steps) for own in problem.monotonic]
    return np.array(rows, TABLES["monotonic_table"])


def _threshold_counts(problem: Problem) -> dict[str, int]:
    order = problem.thresholds
    if order is None:
        return {"thresholds": 0, "reference": 0, "increasing": 0, "threshold_kernel": 0}
    return {"thresholds": order.count, "reference": order.reference, "increasing": int(order.increasing),
            "threshold_kernel": ORDERED_KERNELS[problem.kernel]}  # fmt: skip


def _threshold_arrays(problem: Problem) -> Arrays:
    priors = () if problem.thresholds is None else problem.thresholds.priors
    together = bool(priors) and is_of_chances(priors)
    each = [] if together else [_standard(prior) for prior in priors]
    size = priors[0].arguments[0] if together else 0.0
    return {"chances": np.array([size]), "threshold_table": np.array(each, TABLES["threshold_table"])}


def _standard(prior: Prior) -> tuple[float, ...]:
    """The code and the three numbers that compiled code knows a prior by."""
    kernel, *numbers = prior.standard()
    return PRIOR_KERNELS[kernel], *numbers


def _hyperparameter(parameter: Hyperparameter) -> tuple[float, ...]:
    kernel, *numbers = _standard(parameter.prior)
    low, high = parameter.prior.support
    transform = TRANSFORMS[bool(np.isfinite(low)), bool(np.isfinite(high))]
    return transform, kernel, parameter.coefficient, *numbers, low, high, parameter.prior.power


def unconstrained(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Hyperparameters on the line, each as its transform in the table says."""
    with np.errstate(all="ignore"):
        above, below = np.log(values - table["low"]), np.log(table["high"] - values)
        line = np.choose(table["transform"], [above, below, above - below, above, values])
    soft = table["transform"] == record.SOFT
    line[soft] = inverse_soft(values[soft] / table["b"][soft])
    return line


def inverse_soft(x: np.ndarray) -> np.ndarray:
    """Where I takes the values `x`, by Newton's steps for its logarithm, which is concave."""
    v, target = np.maximum(x, -1.0), np.log(x)
    for _ in range(NEWTON):
        log_cdf, ratio = np.transpose([log_normal_cdf(at) for at in v]).reshape(2, -1)
        inner = v + ratio
        v = v - (log_cdf + np.log(inner) - target) * inner
    return v


def _products(problem: Problem) -> Arrays:
    """F'F, F'(y − Fp) and the sum of squares at p = 0 for a Gaussian family, else nothing."""
    size = problem.coefficients
    if not problem.is_gaussian:
        none = {name: np.zeros(0) for name in ("product_values", "product_score", "product_point", "product_numbers")}
        return {**none, "product_rows": np.zeros(0, dtype=int), "product_columns": np.zeros(0, dtype=int)}
    upper = _with_diagonal(sparse.triu(gram(problem), format="coo"))
    return {
        "product_values": upper.data, "product_rows": upper.indptr.astype(int),
        "product_columns": upper.indices.astype(int), **products_at(problem, np.zeros(size)),
    }  # fmt: skip


def _with_diagonal(upper: sparse.coo_array) -> sparse.csr_array:
    """An upper triangle that holds every entry of its diagonal, also where that is zero."""
    places = np.arange(upper.shape[0])
    rows, columns = (np.concatenate([part, places]) for part in upper.coords)
    values = np.concatenate([upper.data, np.zeros(len(places))])
    result = sparse.csr_array(sparse.coo_array((values, (rows, columns)), shape=upper.shape))
    result.sort_indices()
    return result


def products_at(problem: Problem, point: np.ndarray) -> Arrays:
    """What a Gaussian likelihood holds at a point: F'(y − Fp), p, and the sum of squares with the observations."""
    matrix = problem.matrix
    rest = problem.response - problem.offset - matrix @ point
    squares = problem.squares + float(problem.size @ rest**2)
    return {
        "product_score": matrix.T @ (problem.size * rest), "product_point": point,
        "product_numbers": np.array([squares, problem.observations]),
    }  # fmt: skip


def gram(problem: Problem, weight: np.ndarray | None = None) -> sparse.csr_array:
    """F'WF, shape ``(coefficients, coefficients)``; W is the size of rows by default.

    Of several linear predictors `weight` has the shape ``(slots, slots, rows)``.
    """
    matrix = problem.matrix
    weight = problem.size if weight is None else weight
    if weight.ndim == 1:
        return sparse.csr_array(matrix.T @ (matrix * weight[:, None]).tocsr())
    parts = slot_matrices(problem)
    products = [
        part.T @ (other * weight[slot, along][:, None]).tocsr()
        for slot, part in parts.items()
        for along, other in parts.items()
        if slot == along or weight[slot, along].any()
    ]
    return sparse.csr_array(sum(products[1:], products[0]))


def slot_matrices(problem: Problem) -> dict[int, sparse.csr_array]:
    """By slot, the design with zeros for the coefficients of other linear predictors, ``(rows, coefficients)``."""
    slots = np.unique(problem.slots).tolist() or [0]
    if len(slots) == 1:
        return {slots[0]: problem.matrix}
    return {slot: sparse.csr_array(problem.matrix @ sparse.diags_array((problem.slots == slot).astype(float)))
            for slot in slots}  # fmt: skip


def coupling_arrays(links: list[sparse.csr_array]) -> Arrays:
    """The arrays of one matrix for each factor, shape ``(effects, coefficients)``, zero from the factor on."""
    table: list[tuple[int, ...]] = []
    columns, values, rest = [np.zeros(0, dtype=int)], [np.zeros(0)], []
    first, at = 0, 0
    for link in links:
        reached = np.bincount(link.indices, minlength=link.shape[1])
        whole = np.flatnonzero(reached > FULL * link.shape[0])
        table.append((first, len(whole), at))
        columns.append(whole)
        values.append(link[:, whole].toarray().ravel(order="F"))
        first, at = first + len(whole), at + link.shape[0] * len(whole)
        rest.append(link @ sparse.diags_array((reached <= FULL * link.shape[0]).astype(float)))
    across = sparse.csr_array(sparse.vstack(rest)) if rest else sparse.csr_array((0, 0))
    across.eliminate_zeros()
    return {
        "full_table": np.array(table, TABLES["full_table"]), "full_columns": np.concatenate(columns),
        "full_coupling": np.concatenate(values), "coupling": across.data,
        "coupling_rows": across.indptr.astype(int), "coupling_columns": across.indices.astype(int),
    }  # fmt: skip


def joint_arrays(problem: Problem, factors: int, room: int) -> tuple[dict[str, int], Arrays]:
    """Sizes, and places of an evaluation's arrays, where so many first factors are sampled with common coefficients.

    `room` is what integrals need beside.
    """
    size = problem.linear + sum(factor.groups * factor.width for factor in problem.factors[:factors])
    return _workspace(problem, factors, size, room)


def _workspace(problem: Problem, factors: int, size: int, room: int) -> tuple[dict[str, int], Arrays]:
    lengths, places, end = _lengths(problem, size), {}, FIELDS
    for kind, names in WORKSPACE_ARRAYS.items():
        for name in names:
            places[name], end = end, end + lengths[kind]
    inside = [places["x"] + problem.auxiliary, places["by_x"] + problem.auxiliary]
    counts = {
        "coordinates": lengths["coordinates"], "joint_factors": factors, "joint_size": size, "workspace": end + room,
    }  # fmt: skip
    return counts, {"workspace_places": np.array([*places.values(), *inside])}


def _lengths(problem: Problem, joint: int) -> dict[str, int]:
    """How many numbers the arrays of an evaluation have, where so many coefficients are sampled jointly."""
    effects, hyperparameters = problem.coefficients - problem.common, len(problem.hyperparameters)
    every, parts = problem.every_factor, parts_of(problem)
    width = max((factor.width for factor in every), default=0)
    return {
        "coefficients": problem.coefficients, "coordinates": problem.linear + effects,
        "hyperparameters": hyperparameters, "linear": problem.linear, "effects": effects,
        "groups' matrices": sum(factor.groups * factor.width**2 for factor in problem.factors),
        "factors' matrices": sum(factor.width**2 for factor in every),
        "a factor's matrix": width**2, "matrices worked on": width**2 * LANES, "effects worked on": width * LANES,
        "groups worked on": LANES, "joint matrix": joint * stride_of(joint), "joint": joint, "block": BLOCK,
        "blocks of slots": SLOTS * BLOCK,
        "jobs": parts * JOB.itemsize // 8, "threads": parts * THREAD_ROOM,
        "parts": parts * (1 + hyperparameters - problem.auxiliary + problem.coefficients),
        "integrated rows": 0 if problem.integrated is None else len(problem.response), "integrals": 0,
    }  # fmt: skip
