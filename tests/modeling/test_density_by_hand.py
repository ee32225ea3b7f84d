"""The model's log density against one written by hand from scipy's densities, constants and Jacobians included.

By hand, correlations are a matrix with the LKJ density of Lewandowski, Kurowicka and Joe (2009), effects are
multivariate normal, and the coordinates that the model samples enter through the Jacobians alone.
"""

import numpy as np
import pandas as pd
import pytensor
import pytest
from modeling_tools import QUICK, assert_equal_up_to_one_constant, log_density, model_of, random_points
from scipy import special, stats

RNG = np.random.default_rng(17)
SIZE = 60
DATA = pd.DataFrame(
    {
        "x": RNG.normal(4.0, 1.0, SIZE),
        "z": RNG.normal(size=SIZE),
        "f": RNG.choice(["p", "q", "r"], SIZE),
        "g": RNG.choice(list("abcde"), SIZE),
        "h": RNG.integers(0, 4, SIZE),
        "success": RNG.integers(0, 2, SIZE),
        "count": RNG.poisson(2.0, SIZE),
        "real": RNG.normal(1.0, 2.0, SIZE),
    }
)
PRIORS = {
    "Intercept": "Normal(0.5, 1.5)",
    "x": "StudentT(4, 0.2, 0.7)",
    "sd(1|g)": "HalfNormal(1.2)",
    "sd(x|g)": "Exponential(2)",
    "sd(z|g)": "HalfStudentT(3, 0.8)",
    "sd(1|h)": "HalfCauchy(1.1)",
    "sd(f|g)": "Gamma(2, 3)",
    "cor": "LKJ(3.5)",
    "sigma": "LogNormal(0.1, 0.6)",
}
DENSITIES = {
    "sd(1|g)": stats.halfnorm(scale=1.2),
    "sd(x|g)": stats.expon(scale=1 / 2),
    "sd(1|h)": stats.halfcauchy(scale=1.1),
    "sd(f|g)": stats.gamma(2, scale=1 / 3),
    "sigma": stats.lognorm(0.6, scale=np.exp(0.1)),
}


def log_sd_prior(name, value):
    if name == "sd(z|g)":
        return np.log(2) + stats.t(3, scale=0.8).logpdf(value)
    return DENSITIES[name].logpdf(value)


def correlations(unconstrained, size):
    """The correlation matrix whose canonical partial correlations are tanh(w / 2), by the recursion of the C-vine.

    Works on complex numbers, so that derivatives can be taken by complex steps.
    """
    partial = np.eye(size, dtype=unconstrained.dtype)
    pairs = [(row, column) for row in range(1, size) for column in range(row)]
    for (row, column), value in zip(pairs, np.tanh(unconstrained / 2), strict=True):
        partial[row, column] = partial[column, row] = value
    matrix = np.eye(size, dtype=unconstrained.dtype)
    for row, column in pairs:
        value = partial[row, column]
        for given in reversed(range(column)):
            one, other = partial[given, row], partial[given, column]
            value = value * np.sqrt((1 - one**2) * (1 - other**2)) + one * other
        matrix[row, column] = matrix[column, row] = value
    return matrix


def log_jacobian_of_correlations(unconstrained, size):
    """Of the entries below the diagonal, by complex steps (exact to rounding)."""
    below = np.tril_indices(size, -1)
    step = 1e-30
    columns = [
        correlations(unconstrained + 1j * step * direction, size)[below].imag / step
        for direction in np.eye(len(unconstrained))
    ]
    return np.linalg.slogdet(np.column_stack(columns))[1]


def log_lkj(matrix, eta):
    """LKJ 2009, equation 16, normalised."""
    size = len(matrix)
    k = np.arange(1, size)
    shape = eta + (size - k - 1) / 2
    log_constant = np.sum((2 * eta - 2 + size - k) * (size - k)) * np.log(2)
    log_constant += np.sum((size - k) * special.betaln(shape, shape))
    return (eta - 1) * np.linalg.slogdet(matrix)[1] - log_constant


def log_bar(point, columns, group, prior_keys, codes, correlated):
    """Log density of one bar's parameters in the sampled coordinates, and its part of the linear predictor.

    `columns` are the bar's columns of the design; `prior_keys` say whose sd is whose.
    """
    names = list(dict.fromkeys(key[3:-1] for key in prior_keys))
    sds = np.exp(np.concatenate([np.atleast_1d(point[f"{name}_sigma_log__"]) for name in names]))
    offsets = np.column_stack([point[f"{name}_offset"] for name in names])
    total = sum(log_sd_prior(key, sd) + np.log(sd) for key, sd in zip(prior_keys, sds, strict=True))
    size = len(sds)
    matrix = np.eye(size)
    if correlated:
        (free,) = [value for name, value in point.items() if name.endswith(f"|{group}_cor_offset_logodds__")]
        matrix = correlations(free, size)
        total += log_lkj(matrix, 3.5) + log_jacobian_of_correlations(free, size)
    covariance = np.diag(sds) @ matrix @ np.diag(sds)
    factor = np.linalg.cholesky(covariance)
    effects = offsets @ factor.T
    total += stats.multivariate_normal(np.zeros(size), covariance).logpdf(effects).sum()
    total += len(effects) * np.log(np.diag(factor)).sum()
    return total, np.sum(effects[codes] * columns, axis=1)


def log_common(point, x):
    """Of intercept and slope; the intercept's prior is stated at the mean of x."""
    slope = point["x"]
    at_mean = point["Intercept_about_location__"] + 0.5
    total = stats.norm(0.5, 1.5).logpdf(at_mean) + stats.t(4, 0.2, 0.7).logpdf(slope)
    return total, at_mean - slope * x.mean() + slope * x


def log_likelihood(family, eta, sigma):
    success = DATA["success"]
    match family:
        case "bernoulli":
            return stats.bernoulli(special.expit(eta)).logpmf(success).sum()
        case "bernoulli(probit)":
            return stats.norm.logcdf(np.where(success == 1, eta, -eta)).sum()
        case "bernoulli(cloglog)":
            waiting = stats.expon()  # a success is a waiting time below exp(eta)
            return np.where(success == 1, waiting.logcdf(np.exp(eta)), waiting.logsf(np.exp(eta))).sum()
        case "poisson":
            return stats.poisson(np.exp(eta)).logpmf(DATA["count"]).sum()
        case "gaussian":
            return stats.norm(eta, sigma).logpdf(DATA["real"]).sum()


RESPONSES = {"poisson": "count", "gaussian": "real"}


def by_hand(point, family, bars):
    total, eta = log_common(point, DATA["x"].to_numpy())
    for columns, group, keys, correlated in bars:
        codes = np.unique(DATA[group], return_inverse=True)[1]
        part, effect = log_bar(point, columns, group, keys, codes, correlated)
        total, eta = total + part, eta + effect
    sigma = None
    if family == "gaussian":
        sigma = np.exp(point["sigma_log__"])
        total += log_sd_prior("sigma", sigma) + np.log(sigma)
    return total + log_likelihood(family, eta, sigma)


ONES = np.ones((SIZE, 1))
NUMBERS = np.column_stack([np.ones(SIZE), DATA["x"], DATA["z"]])
LEVELS = np.column_stack([np.ones(SIZE), DATA["x"], DATA["f"] == "q", DATA["f"] == "r"])
INTERCEPTS_OF_H = (ONES, "h", ["sd(1|h)"], False)


def check(text, family, bars, keys):
    """Rows are not compressed, so no constant is left out; PyMC's own are good to 1e-7."""
    response = RESPONSES.get(family, "success")
    priors = {key: PRIORS[key] for key in keys}
    model = model_of(f"{response} ~ {text}", DATA, family, priors, compress=False)
    density = log_density(model)
    points = random_points(model)
    own, expected = [density(point) for point in points], [by_hand(point, family, bars) for point in points]
    assert_equal_up_to_one_constant(own, expected)
    np.testing.assert_allclose(own, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", ["bernoulli", "bernoulli(probit)", "bernoulli(cloglog)", "poisson", "gaussian"])
def test_three_correlated_effects_crossed_with_a_second_factor(family):
    keys = ["sd(1|g)", "sd(x|g)", "sd(z|g)"]
    bars = [(NUMBERS, "g", keys, True), INTERCEPTS_OF_H]
    used = ["Intercept", "x", *keys, "sd(1|h)", "cor", *(["sigma"] if family == "gaussian" else [])]
    check("x + (1 + x + z | g) + (1 | h)", family, bars, used)


def test_correlated_columns_of_a_factor():
    keys = ["sd(1|g)", "sd(x|g)", "sd(f|g)", "sd(f|g)"]
    bars = [(LEVELS, "g", keys, True), INTERCEPTS_OF_H]
    used = ["Intercept", "x", *dict.fromkeys(keys), "sd(1|h)", "cor"]
    check("x + (1 + x + f | g) + (1 | h)", "bernoulli", bars, used)


def test_two_bars_make_no_correlations():
    keys = ["sd(1|g)", "sd(x|g)", "sd(z|g)"]
    bars = [(NUMBERS, "g", keys, False), INTERCEPTS_OF_H]
    used = ["Intercept", "x", *keys, "sd(1|h)", "sigma"]
    check("x + (1 + x + z || g) + (1 | h)", "gaussian", bars, used)


def test_the_lkj_density_integrates_to_one():
    """The oracle itself: two by two by quadrature, three by three by its volume at eta = 1 (pi^2 / 2)."""
    grid, weight = np.polynomial.legendre.leggauss(200)
    for eta in (1.0, 2.0, 3.5):
        density = [np.exp(log_lkj(np.array([[1, r], [r, 1]]), eta)) for r in grid]
        assert np.dot(weight, density) == pytest.approx(1.0, rel=1e-6)
    assert log_lkj(np.eye(3), 1.0) == pytest.approx(-np.log(np.pi**2 / 2), rel=1e-12)


def test_reported_correlations_are_those_of_the_effects():
    model = model_of("real ~ x + (1 + x + z | g)", DATA, "gaussian", compress=False)
    name = "1+x+z|g_cor"
    labels = list(model.coords[f"{name}_dim"])
    assert labels == ["Intercept, x", "Intercept, z", "x, z"]
    (value,) = model.replace_rvs_by_values([model[name]])
    compute = pytensor.function(model.value_vars, value, mode=QUICK, on_unused_input="ignore")
    for point in random_points(model, 5, spread=1.5):
        matrix = correlations(point[f"{name}_offset_logodds__"], 3)
        own = compute(*(point[variable.name] for variable in model.value_vars))
        np.testing.assert_allclose(own, matrix[np.tril_indices(3, -1)], rtol=1e-12)


def test_a_coefficient_starts_at_its_priors_location():
    model = model_of("real ~ x + (1 | g)", DATA, "gaussian", {"Intercept": "Normal(7, 1)", "x": "Normal(3, 1)"})
    start = model.initial_point()
    assert start["Intercept_about_location__"] == pytest.approx(0.0, abs=1e-12)
    assert start["x"] == pytest.approx(3.0)
