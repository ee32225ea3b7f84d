"""Prior distributions: one record of each, which all other rooms ask.

To add one, write its record here. One that compiled code does not know has no `standard`, and PyMC samples it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

Function = Callable[..., Any]


def _scale_by_last(factor: float, *arguments: float) -> tuple[float, ...]:
    return *arguments[:-1], arguments[-1] * factor


def _rate_by_last(factor: float, *arguments: float) -> tuple[float, ...]:
    return *arguments[:-1], arguments[-1] / factor


def _as_it_is(factor: float, *arguments: float) -> tuple[float, ...]:
    return arguments


def _all(*arguments: float) -> float:
    return math.inf


def _same_mean(factor: float, alpha: float, beta: float) -> tuple[float, float]:
    """A Beta of the same mean and a standard deviation so many times as large, as far as there is one."""
    size = max((alpha + beta + 1.0) / factor**2 - 1.0, 0.01)
    return size * alpha / (alpha + beta), size * beta / (alpha + beta)


def _stretch(factor: float, lower: float, upper: float) -> tuple[float, float]:
    middle, half = (lower + upper) / 2.0, factor * (upper - lower) / 2.0
    return middle - half, middle + half


@dataclass(frozen=True)
class Distribution:
    """A distribution that a parameter may have as its prior.

    Its functions take the distribution's arguments last, in order: ``quantile(0.5, mu, sigma)``.

    Parameters
    ----------
    name : str
        PyMC's name, too.
    parameters, positive : tuple of str
        Its parameters as PyMC names and orders them, and those that must be above 0.
    support : {"real", "positive", "interval", "unit", "correlation"}
        ``unit`` is from 0 to 1, ``interval`` between the two arguments.
    log_density : callable
        ``log_density(x, ...)`` up to a constant, for x on the support.
    quantile : callable
        ``quantile(p, ...)``.
    draw : callable
        ``draw(rng, shape, ...)``: independent draws, by NumPy.
    typical : callable
        ``typical(...)``: the location, or a value in the bulk of the distribution.
    standard : callable or None
        ``standard(...)``: the density's name in compiled code, and its three numbers. None where PyMC alone has it.
    pull : callable or None
        For distributions whose last two parameters are location and scale: ``pull(t, ...)``, without these two, is the
        precision of the normal with the same score at a distance t from the location, both in units of the scale.
    moments : callable
        ``moments(...)``: a power of x below this number has a mean, one from it on has none.
    widen : callable
        ``widen(factor, ...)``: the arguments of the distribution stretched by the factor, about its middle or, for
        positive numbers, about 0.
    """

    name: str
    parameters: tuple[str, ...]
    positive: tuple[str, ...]
    support: Literal["real", "positive", "interval", "unit", "correlation"]
    log_density: Function
    quantile: Function
    draw: Function
    typical: Function
    standard: Function | None = None
    pull: Function | None = None
    moments: Callable[..., float] = _all
    widen: Function = _scale_by_last

    @property
    def located(self) -> bool:
        """Whether its last two parameters are a location, which moves it along the line, and a scale."""
        return self.pull is not None

    def __reduce__(self) -> tuple[Callable[[str], Distribution], tuple[str]]:
        return distribution_named, (self.name,)


DISTRIBUTIONS = {
    record.name: record
    for record in (
        Distribution(
            "Normal", ("mu", "sigma"), ("sigma",), "real",
            log_density=lambda x, mu, sigma: -0.5 * ((x - mu) / sigma) ** 2,
            quantile=lambda p, mu, sigma: mu + sigma * special.ndtri(p),
            draw=lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
            typical=lambda mu, sigma: mu,
            standard=lambda mu, sigma: ("normal", mu, sigma, 0.0),
            pull=lambda t: 1.0,
        ),
        Distribution(
            "StudentT", ("nu", "mu", "sigma"), ("nu", "sigma"), "real",
            log_density=lambda x, nu, mu, sigma: -0.5 * (nu + 1.0) * np.log1p(((x - mu) / sigma) ** 2 / nu),
            quantile=lambda p, nu, mu, sigma: mu + sigma * special.stdtrit(nu, p),
            draw=lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
            typical=lambda nu, mu, sigma: mu,
            standard=lambda nu, mu, sigma: ("student", nu, mu, sigma),
            pull=lambda t, nu: (nu + 1.0) / (nu + t * t),
            moments=lambda nu, mu, sigma: nu,
        ),
        Distribution(
            "Cauchy", ("alpha", "beta"), ("beta",), "real",
            log_density=lambda x, alpha, beta: -np.log1p(((x - alpha) / beta) ** 2),
            quantile=lambda p, alpha, beta: alpha + beta * np.tan(np.pi * (p - 0.5)),
            draw=lambda rng, size, alpha, beta: alpha + beta * rng.standard_cauchy(size),
            typical=lambda alpha, beta: alpha,
            standard=lambda alpha, beta: ("student", 1.0, alpha, beta),
            pull=lambda t: 2.0 / (1.0 + t * t),
            moments=lambda alpha, beta: 1.0,
        ),
        Distribution(
            "Laplace", ("mu", "b"), ("b",), "real",
            log_density=lambda x, mu, b: -np.abs(x - mu) / b,
            quantile=lambda p, mu, b: mu - b * np.sign(p - 0.5) * np.log(2.0 * np.minimum(p, 1.0 - p)),
            draw=lambda rng, size, mu, b: rng.laplace(mu, b, size),
            typical=lambda mu, b: mu,
            standard=lambda mu, b: ("laplace", mu, b, 0.0),
            pull=lambda t: 1.0 / t,
        ),
        Distribution(
            "Logistic", ("mu", "s"), ("s",), "real",
            log_density=lambda x, mu, s: -np.abs(x - mu) / s - 2.0 * np.log1p(np.exp(-np.abs(x - mu) / s)),
            quantile=lambda p, mu, s: mu + s * special.logit(p),
            draw=lambda rng, size, mu, s: rng.logistic(mu, s, size),
            typical=lambda mu, s: mu,
            standard=lambda mu, s: ("logistic", mu, s, 0.0),
            pull=lambda t: math.tanh(0.5 * t) / t,
        ),
        Distribution(
            "Uniform", ("lower", "upper"), (), "interval",
            log_density=lambda x, lower, upper: np.zeros_like(x),
            quantile=lambda p, lower, upper: lower + (upper - lower) * p,
            draw=lambda rng, size, lower, upper: rng.uniform(lower, upper, size),
            typical=lambda lower, upper: 0.5 * (lower + upper),
            standard=lambda lower, upper: ("uniform", lower, upper, 0.0),
            widen=_stretch,
        ),
        Distribution(
            "HalfNormal", ("sigma",), ("sigma",), "positive",
            log_density=lambda x, sigma: -0.5 * (x / sigma) ** 2,
            quantile=lambda p, sigma: sigma * special.ndtri(0.5 * (1.0 + p)),
            draw=lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
            typical=lambda sigma: sigma,
            standard=lambda sigma: ("normal", 0.0, sigma, 0.0),
        ),
        Distribution(
            "HalfStudentT", ("nu", "sigma"), ("nu", "sigma"), "positive",
            log_density=lambda x, nu, sigma: -0.5 * (nu + 1.0) * np.log1p((x / sigma) ** 2 / nu),
            quantile=lambda p, nu, sigma: sigma * special.stdtrit(nu, 0.5 * (1.0 + p)),
            draw=lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
            typical=lambda nu, sigma: sigma,
            standard=lambda nu, sigma: ("student", nu, 0.0, sigma),
            moments=lambda nu, sigma: nu,
        ),
        Distribution(
            "HalfCauchy", ("beta",), ("beta",), "positive",
            log_density=lambda x, beta: -np.log1p((x / beta) ** 2),
            quantile=lambda p, beta: beta * np.tan(0.5 * np.pi * p),
            draw=lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
            typical=lambda beta: beta,
            standard=lambda beta: ("student", 1.0, 0.0, beta),
            moments=lambda beta: 1.0,
        ),
        Distribution(
            "Exponential", ("lam",), ("lam",), "positive",
            log_density=lambda x, lam: -lam * x,
            quantile=lambda p, lam: -np.log1p(-p) / lam,
            draw=lambda rng, size, lam: rng.exponential(1.0 / lam, size),
            typical=lambda lam: 1.0 / lam,
            standard=lambda lam: ("exponential", lam, 0.0, 0.0),
            widen=_rate_by_last,
        ),
        Distribution(
            "Gamma", ("alpha", "beta"), ("alpha", "beta"), "positive",
            log_density=lambda x, alpha, beta: (alpha - 1.0) * np.log(x) - beta * x,
            quantile=lambda p, alpha, beta: special.gammaincinv(alpha, p) / beta,
            draw=lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
            typical=lambda alpha, beta: alpha / beta,
            standard=lambda alpha, beta: ("gamma", alpha, beta, 0.0),
            widen=_rate_by_last,
        ),
        Distribution(
            "InverseGamma", ("alpha", "beta"), ("alpha", "beta"), "positive",
            log_density=lambda x, alpha, beta: -(alpha + 1.0) * np.log(x) - beta / x,
            quantile=lambda p, alpha, beta: beta / special.gammainccinv(alpha, p),
            draw=lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
            typical=lambda alpha, beta: beta / alpha,
            standard=lambda alpha, beta: ("inverse_gamma", alpha, beta, 0.0),
            moments=lambda alpha, beta: alpha,
        ),
        Distribution(
            "LogNormal", ("mu", "sigma"), ("sigma",), "positive",
            log_density=lambda x, mu, sigma: -np.log(x) - 0.5 * ((np.log(x) - mu) / sigma) ** 2,
            quantile=lambda p, mu, sigma: np.exp(mu + sigma * special.ndtri(p)),
            draw=lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
            typical=lambda mu, sigma: float(np.exp(mu)),
            standard=lambda mu, sigma: ("log_normal", mu, sigma, 0.0),
            widen=lambda factor, mu, sigma: (mu + np.log(factor), sigma),
        ),
        Distribution(  # of partial correlations, moved to (0, 1); compiled code takes both arguments for equal
            "Beta", ("alpha", "beta"), ("alpha", "beta"), "unit",
            log_density=lambda x, alpha, beta: (alpha - 1.0) * np.log(x) + (beta - 1.0) * np.log1p(-x),
            quantile=lambda p, alpha, beta: special.betaincinv(alpha, beta, p),
            draw=lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
            typical=lambda alpha, beta: alpha / (alpha + beta),
            standard=lambda alpha, beta: ("beta", alpha, beta, 0.0),
            widen=_same_mean,
        ),
        Distribution(  # the density is of matrices; the rest is of the correlation of two, (1 + ρ) / 2 being a Beta
            "LKJ", ("eta",), ("eta",), "correlation",
            log_density=lambda matrices, eta: (eta - 1.0) * np.linalg.slogdet(matrices)[1],
            quantile=lambda p, eta: 2.0 * special.betaincinv(eta, eta, p) - 1.0,
            draw=lambda rng, size, eta: 2.0 * rng.beta(eta, eta, size) - 1.0,
            typical=lambda eta: 0.0,
            standard=lambda eta: ("beta", eta, eta, 0.0),
            widen=_as_it_is,
        ),
    )
}  # fmt: skip


def distribution_named(name: str) -> Distribution:
    """The record of a distribution."""
    return DISTRIBUTIONS[name]


@dataclass(frozen=True)
class Prior:
    """A distribution with its numbers."""

    name: str
    arguments: tuple[float, ...]

    @property
    def distribution(self) -> Distribution:
        """What is known of the distribution."""
        return DISTRIBUTIONS[self.name]

    @property
    def typical(self) -> float:
        """The location, or a value in the bulk of the prior."""
        return float(self.distribution.typical(*self.arguments))

    def standard(self) -> tuple[str, float, float, float]:
        """The density's name in compiled code, and its numbers."""
        assert self.distribution.standard is not None
        return self.distribution.standard(*self.arguments)

    def central_interval(self, prob: float = 0.95) -> tuple[float, float]:
        """The equal-tailed interval of a prior of one number."""
        low, high = self.distribution.quantile(np.array([1.0 - prob, 1.0 + prob]) / 2.0, *self.arguments)
        return float(low), float(high)

    def widened(self, factor: float) -> Prior:
        """The same distribution, so many times as wide."""
        return Prior(self.name, tuple(map(float, self.distribution.widen(factor, *self.arguments))))

    def describe(self, format_number: Callable[[float], str] = "{:.4g}".format) -> str:
        """The prior in numbers: ``StudentT(3, 0, 2.5)``."""
        return f"{self.name}({', '.join(map(format_number, self.arguments))})"

    def __str__(self) -> str:
        return self.describe(lambda number: repr(number).removesuffix(".0"))


def joined(priors: Sequence[Prior]) -> tuple[Distribution, dict[str, Any]]:
    """The distribution that the entries of a variable share, and its arguments by name: arrays where they differ."""
    (record,) = {prior.distribution for prior in priors}
    columns = zip(*(prior.arguments for prior in priors), strict=True)
    shared = (numbers[0] if len(set(numbers)) == 1 else np.array(numbers) for numbers in columns)
    return record, dict(zip(record.parameters, shared, strict=True))


def partial_priors(prior: Prior, size: int) -> tuple[Prior, ...]:
    """The priors that LKJ gives canonical partial correlations, moved to (0, 1), by rows below the diagonal.

    The matrix has `size` rows (Lewandowski, Kurowicka and Joe 2009, section 2).
    """
    (eta,) = prior.arguments
    shapes = (eta + (size - 2 - column) / 2 for row in range(1, size) for column in range(row))
    return tuple(Prior("Beta", (shape, shape)) for shape in shapes)
