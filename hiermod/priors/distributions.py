"""Prior distributions: one record of each, which all other rooms ask.

To add one, write its record here. One that compiled code does not know has no `standard`, and PyMC samples it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
    support : {"real", "positive", "interval", "unit", "correlation", "chances"}
        ``unit`` is from 0 to 1, ``interval`` between the two arguments; ``chances`` add up to 1.
    log_density : callable
        ``log_density(x, ...)`` up to a constant, for x on the support.
    cdf : callable
        ``cdf(x, ...)``: the chance of less, for x on the support and at its ends.
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
    half : callable or None
        ``half(...)``: name and arguments of its positive half, for a location of 0, where that has a name.
    widen : callable
        ``widen(factor, ...)``: the arguments of the distribution stretched by the factor about 0, for positive numbers,
        or as far as that goes.
    """

    name: str
    parameters: tuple[str, ...]
    positive: tuple[str, ...]
    support: Literal["real", "positive", "interval", "unit", "correlation", "chances"]
    log_density: Function
    cdf: Function
    quantile: Function
    draw: Function
    typical: Function
    standard: Function | None = None
    pull: Function | None = None
    moments: Callable[..., float] = _all
    half: Function | None = None
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
            cdf=lambda x, mu, sigma: special.ndtr((x - mu) / sigma),
            quantile=lambda p, mu, sigma: mu + sigma * special.ndtri(p),
            draw=lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
            typical=lambda mu, sigma: mu,
            standard=lambda mu, sigma: ("normal", mu, sigma, 0.0),
            pull=lambda t: 1.0,
            half=lambda mu, sigma: ("HalfNormal", (sigma,)),
        ),
        Distribution(
            "StudentT", ("nu", "mu", "sigma"), ("nu", "sigma"), "real",
            log_density=lambda x, nu, mu, sigma: -0.5 * (nu + 1.0) * np.log1p(((x - mu) / sigma) ** 2 / nu),
            cdf=lambda x, nu, mu, sigma: special.stdtr(nu, (x - mu) / sigma),
            quantile=lambda p, nu, mu, sigma: mu + sigma * special.stdtrit(nu, p),
            draw=lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
            typical=lambda nu, mu, sigma: mu,
            standard=lambda nu, mu, sigma: ("student", nu, mu, sigma),
            pull=lambda t, nu: (nu + 1.0) / (nu + t * t),
            moments=lambda nu, mu, sigma: nu,
            half=lambda nu, mu, sigma: ("HalfStudentT", (nu, sigma)),
        ),
        Distribution(
            "Cauchy", ("alpha", "beta"), ("beta",), "real",
            log_density=lambda x, alpha, beta: -np.log1p(((x - alpha) / beta) ** 2),
            cdf=lambda x, alpha, beta: 0.5 + np.arctan((x - alpha) / beta) / np.pi,
            quantile=lambda p, alpha, beta: alpha + beta * np.tan(np.pi * (p - 0.5)),
            draw=lambda rng, size, alpha, beta: alpha + beta * rng.standard_cauchy(size),
            typical=lambda alpha, beta: alpha,
            standard=lambda alpha, beta: ("student", 1.0, alpha, beta),
            pull=lambda t: 2.0 / (1.0 + t * t),
            moments=lambda alpha, beta: 1.0,
            half=lambda alpha, beta: ("HalfCauchy", (beta,)),
        ),
        Distribution(
            "Laplace", ("mu", "b"), ("b",), "real",
            log_density=lambda x, mu, b: -np.abs(x - mu) / b,
            cdf=lambda x, mu, b: 0.5 - 0.5 * np.sign(x - mu) * np.expm1(-np.abs(x - mu) / b),
            quantile=lambda p, mu, b: mu - b * np.sign(p - 0.5) * np.log(2.0 * np.minimum(p, 1.0 - p)),
            draw=lambda rng, size, mu, b: rng.laplace(mu, b, size),
            typical=lambda mu, b: mu,
            standard=lambda mu, b: ("laplace", mu, b, 0.0),
            pull=lambda t: 1.0 / t,
            half=lambda mu, b: ("Exponential", (1.0 / b,)),
        ),
        Distribution(
            "Logistic", ("mu", "s"), ("s",), "real",
            log_density=lambda x, mu, s: -np.abs(x - mu) / s - 2.0 * np.log1p(np.exp(-np.abs(x - mu) / s)),
            cdf=lambda x, mu, s: special.expit((x - mu) / s),
            quantile=lambda p, mu, s: mu + s * special.logit(p),
            draw=lambda rng, size, mu, s: rng.logistic(mu, s, size),
            typical=lambda mu, s: mu,
            standard=lambda mu, s: ("logistic", mu, s, 0.0),
            pull=lambda t: math.tanh(0.5 * t) / t,
        ),
        Distribution(
            "Uniform", ("lower", "upper"), (), "interval",
            log_density=lambda x, lower, upper: np.zeros_like(x),
            cdf=lambda x, lower, upper: np.clip((x - lower) / (upper - lower), 0.0, 1.0),
            quantile=lambda p, lower, upper: lower + (upper - lower) * p,
            draw=lambda rng, size, lower, upper: rng.uniform(lower, upper, size),
            typical=lambda lower, upper: 0.5 * (lower + upper),
            standard=lambda lower, upper: ("uniform", lower, upper, 0.0),
        ),
        Distribution(
            "HalfNormal", ("sigma",), ("sigma",), "positive",
            log_density=lambda x, sigma: -0.5 * (x / sigma) ** 2,
            cdf=lambda x, sigma: special.erf(x / (sigma * math.sqrt(2.0))),
            quantile=lambda p, sigma: sigma * special.ndtri(0.5 * (1.0 + p)),
            draw=lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
            typical=lambda sigma: sigma,
            standard=lambda sigma: ("normal", 0.0, sigma, 0.0),
        ),
        Distribution(
            "HalfStudentT", ("nu", "sigma"), ("nu", "sigma"), "positive",
            log_density=lambda x, nu, sigma: -0.5 * (nu + 1.0) * np.log1p((x / sigma) ** 2 / nu),
            cdf=lambda x, nu, sigma: 2.0 * special.stdtr(nu, x / sigma) - 1.0,
            quantile=lambda p, nu, sigma: sigma * special.stdtrit(nu, 0.5 * (1.0 + p)),
            draw=lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
            typical=lambda nu, sigma: sigma,
            standard=lambda nu, sigma: ("student", nu, 0.0, sigma),
            moments=lambda nu, sigma: nu,
        ),
        Distribution(
            "HalfCauchy", ("beta",), ("beta",), "positive",
            log_density=lambda x, beta: -np.log1p((x / beta) ** 2),
            cdf=lambda x, beta: 2.0 * np.arctan(x / beta) / np.pi,
            quantile=lambda p, beta: beta * np.tan(0.5 * np.pi * p),
            draw=lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
            typical=lambda beta: beta,
            standard=lambda beta: ("student", 1.0, 0.0, beta),
            moments=lambda beta: 1.0,
        ),
        Distribution(
            "Exponential", ("lam",), ("lam",), "positive",
            log_density=lambda x, lam: -lam * x,
            cdf=lambda x, lam: -np.expm1(-lam * x),
            quantile=lambda p, lam: -np.log1p(-p) / lam,
            draw=lambda rng, size, lam: rng.exponential(1.0 / lam, size),
            typical=lambda lam: 1.0 / lam,
            standard=lambda lam: ("exponential", lam, 0.0, 0.0),
            widen=_rate_by_last,
        ),
        Distribution(
            "Gamma", ("alpha", "beta"), ("alpha", "beta"), "positive",
            log_density=lambda x, alpha, beta: (alpha - 1.0) * np.log(x) - beta * x,
            cdf=lambda x, alpha, beta: special.gammainc(alpha, beta * x),
            quantile=lambda p, alpha, beta: special.gammaincinv(alpha, p) / beta,
            draw=lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
            typical=lambda alpha, beta: alpha / beta,
            standard=lambda alpha, beta: ("gamma", alpha, beta, 0.0),
            widen=_rate_by_last,
        ),
        Distribution(
            "InverseGamma", ("alpha", "beta"), ("alpha", "beta"), "positive",
            log_density=lambda x, alpha, beta: -(alpha + 1.0) * np.log(x) - beta / x,
            cdf=lambda x, alpha, beta: special.gammaincc(alpha, np.divide(beta, x)),
            quantile=lambda p, alpha, beta: beta / special.gammainccinv(alpha, p),
            draw=lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
            typical=lambda alpha, beta: beta / alpha,
            standard=lambda alpha, beta: ("inverse_gamma", alpha, beta, 0.0),
            moments=lambda alpha, beta: alpha,
        ),
        Distribution(
            "LogNormal", ("mu", "sigma"), ("sigma",), "positive",
            log_density=lambda x, mu, sigma: -np.log(x) - 0.5 * ((np.log(x) - mu) / sigma) ** 2,
            cdf=lambda x, mu, sigma: special.ndtr((np.log(x) - mu) / sigma),
            quantile=lambda p, mu, sigma: np.exp(mu + sigma * special.ndtri(p)),
            draw=lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
            typical=lambda mu, sigma: float(np.exp(mu)),
            standard=lambda mu, sigma: ("log_normal", mu, sigma, 0.0),
            widen=lambda factor, mu, sigma: (mu + np.log(factor), sigma),
        ),
        Distribution(  # of partial correlations, too, moved to (0, 1)
            "Beta", ("alpha", "beta"), ("alpha", "beta"), "unit",
            log_density=lambda x, alpha, beta: (alpha - 1.0) * np.log(x) + (beta - 1.0) * np.log1p(-x),
            cdf=lambda x, alpha, beta: special.betainc(alpha, beta, x),
            quantile=lambda p, alpha, beta: special.betaincinv(alpha, beta, p),
            draw=lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
            typical=lambda alpha, beta: alpha / (alpha + beta),
            standard=lambda alpha, beta: ("beta", alpha, beta, 0.0),
            widen=_same_mean,
        ),
        Distribution(  # the density is of matrices; the rest is of the correlation of two, (1 + ρ) / 2 being a Beta
            "LKJ", ("eta",), ("eta",), "correlation",
            log_density=lambda matrices, eta: (eta - 1.0) * np.linalg.slogdet(matrices)[1],
            cdf=lambda x, eta: special.betainc(eta, eta, 0.5 * (1.0 + x)),
            quantile=lambda p, eta: 2.0 * special.betaincinv(eta, eta, p) - 1.0,
            draw=lambda rng, size, eta: 2.0 * rng.beta(eta, eta, size) - 1.0,
            typical=lambda eta: 0.0,
            standard=lambda eta: ("beta", eta, eta, 0.0),
            widen=_as_it_is,
        ),
        Distribution(  # the density is of all chances, the last axis; the rest is of one of two
            "Dirichlet", ("a",), ("a",), "chances",
            log_density=lambda chances, a: (a - 1.0) * np.log(chances).sum(axis=-1),
            cdf=lambda x, a: special.betainc(a, a, x),
            quantile=lambda p, a: special.betaincinv(a, a, p),
            draw=lambda rng, size, a: rng.beta(a, a, size),
            typical=lambda a: 0.5,
            standard=lambda a: ("beta", a, a, 0.0),
            widen=_as_it_is,
        ),
    )
}  # fmt: skip


def distribution_named(name: str) -> Distribution:
    """The record of a distribution."""
    return DISTRIBUTIONS[name]


LINES: dict[str, tuple[Function, Function, Function]] = {  # by support: to the line, back, and the log slope of back
    "real": (lambda x: x, lambda line: line, np.zeros_like),
    "positive": (np.log, np.exp, np.log),
    "unit": (special.logit, special.expit, lambda x: np.log(x) + np.log1p(-x)),
}
OF = {1.0: "", 2.0: " of the variance", -2.0: " of the precision"}
ENDS = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "unit": (0.0, 1.0), "correlation": (-1.0, 1.0),
        "chances": (0.0, 1.0)}  # fmt: skip


@dataclass(frozen=True)
class Prior:
    """A distribution with its numbers, of a parameter or of a power of it.

    Parameters
    ----------
    name : str
        The distribution's.
    arguments : tuple of float
    lower, upper : float
        Where it is cut off.
    power : float
        It is the distribution of the parameter to this power: 2 for the variance and -2 for the precision of a standard
        deviation.
    origin : str
        Where it comes from, in words.
    """

    name: str
    arguments: tuple[float, ...]
    lower: float = -math.inf
    upper: float = math.inf
    power: float = 1.0
    origin: str = field(default="", compare=False)

    @property
    def distribution(self) -> Distribution:
        """What is known of the distribution."""
        return DISTRIBUTIONS[self.name]

    @property
    def truncated(self) -> bool:
        """Whether it is cut off."""
        return self.lower > -math.inf or self.upper < math.inf

    @property
    def plain(self) -> bool:
        """Whether it is the whole distribution, of the parameter itself."""
        return self.power == 1.0 and not self.truncated

    @property
    def located(self) -> bool:
        """Whether it can be moved along the whole line."""
        return self.plain and self.distribution.located

    @property
    def support(self) -> tuple[float, float]:
        """Between which numbers the parameter lies."""
        low, high = self.ends
        return (low, high) if self.power == 1.0 else self._parameter(low, high)

    @property
    def typical(self) -> float:
        """The location, or a value in the bulk of the prior."""
        if self.truncated:
            return float(self.quantile(np.array(0.5)))
        value = float(self.distribution.typical(*self.arguments))
        return value if self.power == 1.0 else value ** (1.0 / self.power)

    def standard(self) -> tuple[str, float, float, float]:
        """The density's name in compiled code, and its numbers."""
        assert self.distribution.standard is not None
        return self.distribution.standard(*self.arguments)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """The log density of the parameter up to a constant; minus infinity where it cannot be, if it is cut off."""
        record = self.distribution
        if self.plain:
            return np.asarray(record.log_density(x, *self.arguments))
        low, high = self.support
        inside = (x >= low) & (x <= high)
        x = np.where(inside, x, self.typical)
        density = record.log_density(x**self.power, *self.arguments)
        if self.power != 1.0:
            density = density + (self.power - 1.0) * np.log(x)
        return np.where(inside, density, -np.inf)

    @property
    def log_constant(self) -> float:
        """The log of what the density leaves out, by the chance of a part without kinks over the integral there."""
        to_line, from_line, log_slope = LINES.get(self.distribution.support, LINES["real"])
        low, high = to_line(self.quantile(np.array([0.55, 0.8])))
        nodes, weights = np.polynomial.legendre.leggauss(40)
        x = from_line(0.5 * (low + high) + 0.5 * (high - low) * nodes)
        density = self.log_density(x) + log_slope(x)
        integral = 0.5 * (high - low) * (weights @ np.exp(density - density.max()))
        return float(np.log(0.25) - np.log(integral) - density.max())

    def quantile(self, p: np.ndarray) -> np.ndarray:
        """The parameter's quantiles."""
        if self.power < 0.0:
            p = 1.0 - p
        if self.truncated:
            below, above = self.chances(self.lower, self.upper)
            p = below + p * (above - below)
        with np.errstate(divide="ignore", over="ignore"):  # a precision of 0 is an infinite standard deviation
            values = np.clip(self.distribution.quantile(p, *self.arguments), self.lower, self.upper)
            return np.asarray(values if self.power == 1.0 else values ** (1.0 / self.power))

    def chances(self, *ends: float) -> np.ndarray:
        """How likely the distribution, if nothing were cut off, is below each of some numbers."""
        low, high = self._whole
        with np.errstate(divide="ignore"):
            return np.asarray(self.distribution.cdf(np.clip(ends, low, high), *self.arguments))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Independent draws of the parameter."""
        if self.truncated:
            return self.quantile(rng.uniform(size=shape))
        values = np.asarray(self.distribution.draw(rng, shape, *self.arguments), dtype=float)
        return values if self.power == 1.0 else values ** (1.0 / self.power)

    def central_interval(self, prob: float = 0.95) -> tuple[float, float]:
        """The equal-tailed interval of a prior of one number."""
        low, high = self.quantile(np.array([1.0 - prob, 1.0 + prob]) / 2.0)
        return float(low), float(high)

    def widened(self, factor: float) -> Prior:
        """The same distribution, so many times as wide: about 0 if it is on one side of it, else about its middle."""
        low, high = self.ends
        times, record, arguments = factor**self.power, self.distribution, self.arguments
        middle = 0.0 if low >= 0.0 or high <= 0.0 else float(record.typical(*arguments))
        if record.located:
            *shape, location, scale = arguments
            arguments = (*shape, middle + times * (location - middle), times * scale)
        elif record.support == "interval":
            arguments = tuple(middle + times * (end - middle) for end in arguments)
        else:
            arguments = record.widen(times, *arguments)
        ends = (middle + times * (end - middle) for end in (self.lower, self.upper))
        return replace(self, **dict(zip(("lower", "upper"), ends, strict=True)), arguments=tuple(map(float, arguments)))

    def scaled(self, factor: float) -> Prior:
        """The distribution of the parameter times a positive factor; of a Beta or LKJ the same."""
        times, record, arguments = factor**self.power, self.distribution, self.arguments
        if record.support in ("unit", "correlation", "chances"):
            return self
        if record.located:
            *shape, location, scale = arguments
            arguments = (*shape, times * location, times * scale)
        elif record.support == "interval":
            arguments = tuple(times * end for end in arguments)
        else:
            arguments = record.widen(times, *arguments)
        return replace(self, arguments=tuple(map(float, arguments)), lower=times * self.lower, upper=times * self.upper)

    def describe(self, format_number: Callable[[float], str] = "{:.4g}".format) -> str:
        """The prior in numbers: ``StudentT(3, 0, 2.5)``, ``Normal(1, 0.5, lower=0)``."""
        return self._text(format_number) + OF[self.power]

    def __str__(self) -> str:
        """As it is read again, its key and so the power aside."""
        origin = f"  # {self.origin}" if self.origin else ""
        return self._text(lambda number: repr(number).removesuffix(".0")) + origin

    def _text(self, format_number: Callable[[float], str]) -> str:
        numbers = [*map(format_number, self.arguments)]
        bounds = {"lower": self.lower, "upper": self.upper}
        numbers += [f"{name}={format_number(end)}" for name, end in bounds.items() if math.isfinite(end)]
        return f"{self.name}({', '.join(numbers)})"

    @property
    def _whole(self) -> tuple[float, float]:
        """The ends of the distribution if nothing were cut off."""
        support = self.distribution.support
        return (self.arguments[0], self.arguments[1]) if support == "interval" else ENDS[support]

    @property
    def ends(self) -> tuple[float, float]:
        """Between which numbers the distribution lies, which is that of the parameter to its power."""
        low, high = self._whole
        return max(low, self.lower), min(high, self.upper)

    def _parameter(self, low: float, high: float) -> tuple[float, float]:
        """The ends of the parameter, given those of its power, which are not below 0."""
        with np.errstate(divide="ignore"):
            first, last = (float(end) for end in np.power([low, high], 1.0 / self.power))
        return (first, last) if self.power > 0.0 else (last, first)


def alike(priors: Sequence[Prior]) -> bool:
    """Whether the entries of a variable share a distribution, so that `joined` joins them."""
    return all(prior.plain and prior.name == priors[0].name for prior in priors)


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
