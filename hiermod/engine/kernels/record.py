"""How a problem stands in memory for compiled code: records of numbers and of addresses, with named fields.

What writes them needs NumPy alone; `views` reads them in compiled code. Sizes are counts; places count from zero.
"""

from __future__ import annotations

import numpy as np

# Codes of likelihoods, named for a family's kernel and its link, and of priors.
KERNELS = {name: code for code, name in enumerate((
    "trials_logit", "trials_probit", "trials_cloglog", "poisson_log", "negbinomial_log", "student_identity",
    "gamma_log", "beta_binomial_logit", "beta_binomial_probit", "beta_binomial_cloglog", "gaussian_identity",
    "one_trial_logit", "lognormal_identity",
    "weibull_log",
))}  # fmt: skip
# Codes of kernels of ordered categories, by family and link.
ORDERED = 500
ORDERED_KERNELS = {name: ORDERED + code for code, name in enumerate((
    "cumulative_logit", "cumulative_probit", "cumulative_cloglog",
    "sratio_logit", "sratio_probit", "sratio_cloglog",
    "cratio_logit", "cratio_probit", "cratio_cloglog",
    "acat_logit",
))}  # fmt: skip
# Codes of the kernels of single rows, whose parameters may each have a linear predictor; one entry a line.
BY_ROWS = 1000
ROW_KERNELS = {name: BY_ROWS + code for code, name in enumerate((
    "gaussian_identity",
    "gaussian_within",
    "student_identity",
    "negbinomial_log",
    "gamma_log",
    "lognormal_identity",
    "beta_binomial_logit",
    "beta_binomial_probit",
    "beta_binomial_cloglog",
    "weibull_log",
    "exponential_log",
    "shifted_lognormal_identity",
    "exgaussian_identity",
    "geometric_log",
    "nbinom1_log",
    "beta_logit",
    "beta_probit",
    "beta_cloglog",
    "zero_one_inflated_beta_logit",
    "zero_one_inflated_beta_probit",
    "zero_one_inflated_beta_cloglog",
    "gaussian_log",
    "gamma_inverse",
    "trials_log",
    "gaussian_known_identity",
    "gaussian_added_identity",
    "poisson_log",
    "trials_logit",
    "trials_probit",
    "trials_cloglog",
    "categorical_logit",
))}  # fmt: skip
BOUNDED = 500  # what is added for responses that are censored or truncated
ROW_KERNELS |= {
    f"bounded_{name}": ROW_KERNELS[name] + BOUNDED for name in (
        "gaussian_identity",
        "student_identity",
        "gamma_log",
        "lognormal_identity",
        "weibull_log",
        "exponential_log",
        "shifted_lognormal_identity",
        "exgaussian_identity",
    )
}  # fmt: skip
# Kernels of families with a part of their own for zeros are those of their base, so much further on.
INFLATED, HURDLE, HURDLE_SHARES = 1000, 2000, 3000
ROW_KERNELS |= {
    f"zero_inflated_{base}": INFLATED + ROW_KERNELS[base] for base in (
        "poisson_log", "negbinomial_log", "trials_logit", "trials_probit", "trials_cloglog", "beta_binomial_logit",
        "beta_binomial_probit", "beta_binomial_cloglog",
    )
} | {"hurdle_shares": BY_ROWS + HURDLE_SHARES} | {
    f"hurdle_{base}": HURDLE + ROW_KERNELS[base] for base in (
        "poisson_log", "negbinomial_log", "gamma_log", "lognormal_identity",
    )
}  # fmt: skip
SLOTS = 10  # parameters that a kernel of rows takes at most, mu among them
FEW_SLOTS = 4  # the same of families without categories
PARAMETER_LINKS = {"logit": 0, "probit": 1, "cloglog": 2, "log": 3, "identity": 4}
LOG_LINK, REAL_LINE = PARAMETER_LINKS["log"], PARAMETER_LINKS["identity"]
LOG_ODDS = 5  # added to a link's code where a kernel takes the log odds of a parameter between 0 and 1
PRIOR_KERNELS = {name: code for code, name in enumerate((
    "normal", "student", "laplace", "logistic", "uniform", "exponential", "gamma", "inverse_gamma", "log_normal",
    "beta",
))}  # fmt: skip
HORSESHOE, R2D2 = range(2)  # priors of sets of slopes
ABOVE, BELOW, INTERVAL, SOFT, LINE_ITSELF = range(5)  # how hyperparameters come from the line
LINE = 64  # bytes that a processor fetches at once
BLOCK = 256  # rows that are scored at once
LANES = 64  # groups that are worked on at once

COUNTS = (
    "rows", "segments", "common", "linear", "coefficients", "hyperparameters", "auxiliary", "factors",
    "joint_factors", "joint_size", "matrices", "rank", "by_products", "has_offset", "is_sorted", "parts", "threads",
    "worker", "workspace", "parameters",
    "thresholds", "reference", "increasing", "threshold_kernel", "monotonic", "coordinates",
    "integrated", "integrals",  # how effects of a factor are integrated out, and the address of a record of that
)  # fmt: skip
DOUBLES = (
    "design", "offset", "response", "size", "count", "multipliers", "sums",  # of rows
    "upper", "least", "most",  # of rows that are censored or truncated
    "product_values", "product_score", "product_point", "product_numbers",  # of a Gaussian likelihood
    "information", "score", "mode", "coupling", "full_coupling", "scale",  # of what data say of effects at the mode
    "linear_map", "common_spread", "joint_information", "joint_numbers",  # of coordinates
    "hyperparameter_centre", "hyperparameter_map", "directions", "stretch",
    "chances",  # of ordered categories, the size of their Dirichlet prior, or 0
)  # fmt: skip
INTEGERS = (
    "codes", "group_ends", "plain_columns", "plain_multipliers", "product_rows", "product_columns", "coupling_rows",
    "coupling_columns", "full_columns", "workspace_places", "common_slots", "effect_slots",
)  # fmt: skip


def _layout(*fields: str, doubles: tuple[str, ...] = ()) -> np.dtype[np.void]:
    """Whole numbers of 64 bits, then doubles."""
    kinds = [*((name, np.int64) for name in fields), *((name, np.float64) for name in doubles)]
    return np.dtype(kinds, align=True)


TABLES = {
    # Which rows a likelihood's kernel scores.
    "segment_table": _layout("kernel", "first", "last"),
    # Of a family's parameter beside mu: its link, and where its one value stands among hyperparameters, or -1.
    "parameter_table": _layout("link", "scalar"),
    # Where a factor's effects stand among coefficients, among coordinates, and among effects; where its matrices stand
    # among those of groups, and among those of factors; which set of slopes it is, or -1.
    "factor_table": _layout(
        "groups",
        "width",
        "start",
        "coordinate",
        "effects",
        "information",
        "root",
        "first_term",
        "terms",
        "multiplier",
        "shrinkage",
    ),
    # A group term's columns within its factor, its hyperparameters, and -1 for `partial` where none are correlated.
    "term_table": _layout("first", "columns", "sds", "partial", "step"),
    # Of a set of slopes: which prior it has, how many there are, and where what they share, the slab, a scale or stick
    # of each, and sigma stand among hyperparameters; -1 for sigma where they are not in units of it.
    "shrinkage_table": _layout("kind", "columns", "shared", "slab", "single", "sigma"),
    # Of the columns of coefficients that most of a factor's effects depend on.
    "full_table": _layout("first", "columns", "values"),
    # Its prior is one of the parameter to a power.
    "hyperparameter_table": _layout(
        "transform", "kernel", "coefficient", doubles=("a", "b", "c", "low", "high", "power")
    ),
    "prior_table": _layout("kernel", doubles=("a", "b", "c")),
    # The variance as far as data go, the prior's precision and centre, and the data's estimate.
    "common_table": _layout(doubles=("variance", "precision", "centre", "estimate")),
    # Of a monotonic effect: where the whole one and its sticks stand among hyperparameters, and its steps among
    # coefficients, and how many there are of these.
    "monotonic_table": _layout("whole", "sticks", "first", "steps"),
    # The priors of thresholds, each by itself.
    "threshold_table": _layout("kernel", doubles=("a", "b", "c")),
}
RECORD = _layout(*COUNTS, *DOUBLES, *INTEGERS, *TABLES)
JOB = _layout("thread", "record", "workspace", "place", "started")
WORKSPACE_ARRAYS = {  # by what they have as many numbers as
    "coefficients": ("theta", "by_theta", "step"),
    "coordinates": ("w", "by_w"),
    "hyperparameters": ("values", "x", "slopes", "by_value", "by_x"),
    "linear": ("along", "spread", "variances"),
    "effects": ("effects_score", "explained", "shifted", "normals", "by_score"),
    "groups' matrices": ("lower", "product"),
    "factors' matrices": ("roots", "scaled_roots"),
    "a factor's matrix": ("by_root", "by_scaled_root"),
    "matrices worked on": ("inner",),
    "effects worked on": ("solved",),
    "groups worked on": ("terms",),
    "joint matrix": ("joint_lower", "joint_product", "joint_image", "joint_by_precision"),
    "joint": ("joint_u", "joint_shifted", "joint_explained", "joint_slope", "joint_by_score"),
    "block": ("eta", "row_scores", "predictor"),
    "blocks of slots": ("etas", "scores"),
    "jobs": ("jobs",),
    "parts": ("parts",),
    "threads": ("thread_rooms",),
    "integrated rows": ("predictors", "predictor_scores"),
    "integrals": ("integral_room",),
}
WORKSPACE = _layout(*(name for names in WORKSPACE_ARRAYS.values() for name in names), "auxiliary", "by_auxiliary")
FIELDS = len(WORKSPACE.names or ())
JOB_BYTES = JOB.itemsize
THREAD_ROOM = FIELDS + 2 * BLOCK * (1 + SLOTS)  # numbers that a thread has for itself

# Of groups whose effects are integrated out: patterns, their entries (different rows), and nodes. A block has rows of
# entries, with a pattern in each lane.
LOGISTIC, EXPONENTIAL = range(2)  # kinds of canonical links
INTEGRAL_COUNTS = ("blocks", "lanes", "rows", "entries", "longest", "columns", "width", "nodes", "kind", "plain")
INTEGRAL_DOUBLES = (
    "design", "offset", "size", "multipliers",  # of entries, those of one column side by side
    "counts", "totals", "modes", "spreads", "log_volumes",  # of patterns
    "grid", "log_weights",  # of nodes
)  # fmt: skip
INTEGRAL_INTEGERS = ("starts", "single")  # of blocks: their first rows; of rows: whether all sizes are 1
INTEGRALS = _layout(*INTEGRAL_COUNTS, *INTEGRAL_DOUBLES, *INTEGRAL_INTEGERS)

# The same of a Gaussian model: groups of one information on effects are a structure, and enter by vectors of sums.
BY_NODES, IN_CLOSED_FORM = 1, 2  # how effects are integrated out, in a record where they are not coefficients
MOMENT_COUNTS = ("structures", "slots", "width", "length")
MOMENT_DOUBLES = ("structure_information", "structure_counts", "vectors", "moments", "rest")
MOMENTS = _layout(*MOMENT_COUNTS, *MOMENT_DOUBLES)

ENTRIES = {
    "conditionals": 9,
    "integrals": 5,
    "log_density": 5,
    "expand": 5,
    "curvature": 5,
    "worker": 1,
}  # functions called from outside: 64-bit arguments
NOT_FINITE, NO_MEMORY = 4, -1  # nutpie takes a positive code for a point to turn back from, a negative one for an end
