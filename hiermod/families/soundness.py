"""Whether the record of a family from outside means one distribution: density, mean, draws and chances.

The density is summed or integrated over its support at a few linear predictors, with the parameters at the medians of
their default priors; everything else is held against that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special

from hiermod.errors import HiermodError, ModelError
from hiermod.families.functionals import Functional
from hiermod.families.links import LINKS
from hiermod.families.ops import NUMPY
from hiermod.families.outcomes import own_outcomes
from hiermod.families.probes import POINTS, SCALE, from_line, points, probe_densities, same_density, usual_parameters
from hiermod.families.record import STATISTICS, Family
from hiermod.priors.distributions import ENDS

NAME = re.compile(r"[a-z]\w*")
RESERVED = ("mu", "intercept", "slope", "sd", "cor", "rate", "size", "chain", "draw")
NEEDED = ("log_density", "mean_link", "has_posterior_mean", "transform")
OPTIONAL = ("draw", "variance", "correlation", "cdf", "quantile", "median_link", "check")
PREDICTORS = (-1.0, 0.1, 0.5)
TRIALS = 7.0
ROUGH = 2e-3  # of a probability or, relative to the standard deviation, a mean; quadrature is far better
DRAWS = 4000
DISTANCE = 2.7  # Kolmogorov's, times the root of the draws: chance exceeds it once in a million times


def check_record(family: Family, built_in: Iterable[Family]) -> None:
    """Refuse a record that lacks something, or whose functions do not agree with each other.

    Raises
    ------
    ModelError
        With what is wrong, where, and what to do.
    """
    _check_names(family)
    _check_functions(family)
    try:
        _check_numbers(family, built_in)
    except HiermodError:
        raise
    except Exception as error:
        raise _refuse(
            family, f"a function of its record fails where it is tried, or gives no numbers: {error!r}."
        ) from error


def _check_numbers(family: Family, built_in: Iterable[Family]) -> None:
    _check_priors(family)
    _check_kernel(family, built_in)
    for name in family.links:
        linked = family.linked(name)
        _check_density(linked)
        _check_mean_link(linked)
        _check_outcomes(linked)
        for eta in from_line(linked.link, np.array(PREDICTORS)).tolist():
            _check_distribution(Measure.of(linked, eta))


def _refuse(family: Family, what: str) -> ModelError:
    return ModelError(f"The family {family}: {what}")


def _check_names(family: Family) -> None:
    if family.kind in ("ordered", "category"):
        raise _refuse(family, "families of categories are hiermod's own. Register one of another kind.")
    if not isinstance(family.name, str) or not NAME.fullmatch(family.name) or family.name != family.name.lower():
        raise ModelError(f"A family is named in small letters, digits and _, such as 'my_family', not {family.name!r}.")
    for name in family.auxiliary:
        if not str(name).isidentifier() or str(name).lower() in RESERVED or family.auxiliary.count(name) > 1:
            raise _refuse(family, f"the parameter name {name!r} is taken, or no plain name. Choose another one.")


def _check_functions(family: Family) -> None:
    for name in (*NEEDED, *OPTIONAL):
        value = getattr(family, name)
        if not callable(value) and not (value is None and name in OPTIONAL):
            raise _refuse(
                family, f"{name} is {value!r}, which cannot be called; hm.Family's docstring has its arguments."
            )


def _check_outcomes(family: Family) -> None:
    """A value for each linear predictor, each outcome under a word of its own."""
    if not isinstance(family.outcomes, tuple) or not all(isinstance(own, Functional) for own in family.outcomes):
        raise _refuse(family, f"outcomes={family.outcomes!r}: a tuple of hm.Functional('word', 'what it is of {{}}').")
    names = [own.name for own in family.outcomes]
    if len(set(names)) < len(names):
        raise _refuse(family, f"two of its outcomes have one name: {names}.")
    eta, parameters = np.array(PREDICTORS), [np.full(3, number) for number in usual_parameters(family)]
    for name, own in own_outcomes(family).items():
        try:
            seen = np.asarray(own.at(family.linear(eta), *parameters), dtype=float)
        except Exception as error:
            raise _refuse(family, f"the outcome {name!r} fails on arrays: {error!r}.") from error
        if seen.shape != (3,) or not np.isfinite(seen).all():
            raise _refuse(family, f"the outcome {name!r} is {seen.tolist()} at three linear predictors.")


def _check_priors(family: Family) -> None:
    for parameter in family.parameters:
        try:
            prior = parameter.usual_prior(SCALE)
            low, high = ENDS[parameter.support]
            fits = low <= prior.support[0] and prior.support[1] <= high
        except HiermodError as error:
            raise _refuse(family, f"the default prior of {parameter.name}: {error}") from error
        except Exception as error:
            raise _refuse(
                family, f"default_prior of {parameter.name} fails: {error!r}. Write text, such as 'Gamma(2, 0.1)'."
            ) from error
        if not fits:
            raise _refuse(family, f"{parameter.name} is {parameter.support}, and its default prior {prior} is not.")


def _check_kernel(family: Family, built_in: Iterable[Family]) -> None:
    """Compiled code, and statistics of sums, are right for the density that they were written for alone."""
    kin = [own for own in built_in if own.statistic == family.statistic and own.kernel == family.kernel is not None]
    kin = [own for own in kin if set(family.links) <= set(own.links) and len(own.parameters) == len(family.parameters)]
    if family.kernel is None and family.statistic == STATISTICS[family.kind]:
        return
    for own in kin:
        if all(
            own.kind == family.kind and same_density(probe_densities(own.linked(name)), family.linked(name))
            for name in family.links
        ):  # fmt: skip
            return
    raise _refuse(
        family,
        f"kernel={family.kernel!r} and statistic={family.statistic!r} are for the density of a built-in family, which "
        "this one is not. Leave both out.",
    )


def _check_density(family: Family) -> None:
    at = points(family)
    linear = family.linear(at.eta)
    try:
        with np.errstate(all="ignore"):
            seen = family.log_density(NUMPY, at.response, linear, *at.parameters)
    except Exception as error:
        taken = ", ".join(("ops", "response", "mu", *family.auxiliary))
        raise _refuse(family, f"log_density({taken}) fails on NumPy's arrays: {error!r}.") from error
    if np.shape(seen) != (POINTS,):
        raise _refuse(
            family,
            f"log_density returns the shape {np.shape(seen)} for {POINTS} rows, and ({POINTS},) is needed: the log "
            "density of each row, which is not summed. The response is a tuple: its value is response[0].",
        )
    if np.asarray(seen).dtype != np.float64:
        raise _refuse(
            family,
            f"log_density returns {np.asarray(seen).dtype} numbers, and float64 is needed. Write numbers as "
            "ops.const(3.0) and convert nothing to float32.",
        )
    if len(bad := np.flatnonzero(~np.isfinite(seen))):
        raise _refuse(
            family,
            f"log_density is {seen[bad[0]]:g} at {at.describe(family, bad[0])}, a response of kind {family.kind!r} "
            "that it should take. Mend the formula there, or say another kind or link: a linear predictor takes "
            "any number.",
        )


def _check_mean_link(family: Family) -> None:
    """Population means have closed forms by the name of a link."""
    parameters = usual_parameters(family)
    for what, link in (("mean_link", family.mean_link), ("median_link", family.median_link)):
        if link is None:
            continue
        made = link(family.link, *parameters)
        eta = from_line(family.link, np.array(PREDICTORS))
        there = made.inverse(eta)
        if made.name in LINKS:
            ratio = there / LINKS[made.name].inverse(eta)
            constant = ratio[0] if made.name == "log" else 1.0
            if not np.allclose(ratio, constant, rtol=1e-8):
                raise _refuse(
                    family, f"{what} returns a link named {made.name!r} that is another function. Name it otherwise."
                )
        if not np.allclose(made.forward(there), eta, rtol=1e-6, atol=1e-6):
            raise _refuse(family, f"forward of the link that {what} returns does not undo its inverse.")


@dataclass(frozen=True, eq=False)
class Measure:
    """The distribution at one linear predictor: a grid of responses with the probability at each."""

    family: Family
    eta: float
    parameters: tuple[float, ...]
    grid: np.ndarray
    chance: np.ndarray

    @classmethod
    def of(cls, family: Family, eta: float) -> Measure:
        """By the trapezoidal rule, on a scale on which the support has no end; counts are summed."""
        grid, width = _grid(family, eta)
        parameters = tuple(usual_parameters(family))
        response = (grid, np.full_like(grid, TRIALS)) if family.is_rate else (grid,)
        filled = [np.full_like(grid, number) for number in (eta, *parameters)]
        with np.errstate(all="ignore"):
            density = np.exp(family.log_density(NUMPY, response, family.linear(filled[0]), *filled[1:]))
        return cls(family, eta, parameters, grid, np.nan_to_num(density, nan=0.0, posinf=0.0) * width)

    @property
    def where(self) -> str:
        """The linear predictor and the parameters, in words."""
        named = zip(("eta", *self.family.auxiliary), (self.eta, *self.parameters), strict=True)
        return ", ".join(f"{name} = {value:.4g}" for name, value in named)

    @property
    def continuous(self) -> bool:
        """Whether single responses have no chance."""
        return self.family.kind in ("real", "positive", "unit")

    def moment(self, power: int, about: float = 0.0) -> float | None:
        """A moment; None where the ends of the grid decide over it, as where there is none."""
        terms = self.chance * (self.grid - about) ** power
        inner = terms[len(terms) // 8 : -len(terms) // 8] if self.continuous else terms
        total = float(terms.sum())
        return total if abs(total - inner.sum()) <= 1e-4 * np.abs(terms).sum() else None


def _grid(family: Family, eta: float) -> tuple[np.ndarray, np.ndarray]:
    if family.is_rate:
        return np.arange(TRIALS + 1.0), np.ones(int(TRIALS) + 1)
    if family.kind == "count":
        return np.arange(5000.0), np.ones(5000)
    ends = {"real": (-12.0, 12.0), "positive": (-40.0, 25.0), "unit": (-34.0, 34.0)}[family.kind]
    steps = np.linspace(*ends, 6501)
    values, slope = {
        "real": lambda t: (eta + np.sinh(t), np.cosh(t)),
        "positive": lambda t: (np.exp(t), np.exp(t)),
        "unit": lambda t: (special.expit(t), special.expit(t) * special.expit(-t)),
    }[family.kind](steps)
    width = slope * (steps[1] - steps[0])
    return (np.append(0.0, values), np.append(1.0, width)) if family.zeros else (values, width)


def _check_distribution(measure: Measure) -> None:
    family, total = measure.family, measure.chance.sum()
    if abs(total - 1.0) > ROUGH:
        raise _refuse(
            family,
            f"exp(log_density) adds up to {total:.4g} over all responses, not to 1 (at {measure.where}). A constant or "
            f"a factor is missing, or the responses are not of kind {family.kind!r}.",
        )
    _check_moments(measure)
    if family.cdf is not None:
        _check_chances(measure)
    if family.draw is not None:
        _check_draws(measure)


def _check_moments(measure: Measure) -> None:
    family, size = measure.family, TRIALS if measure.family.is_rate else 1.0
    mean, stated = measure.moment(1), float(family.mean(measure.eta, *measure.parameters)) * size
    spread = None if mean is None else measure.moment(2, mean)
    if mean is None or spread is None:
        return
    if abs(mean - stated) > ROUGH * (np.sqrt(spread) + abs(mean)):
        raise _refuse(
            family,
            f"the mean of log_density is {mean / size:.4g} and the record's {stated / size:.4g} (at {measure.where}). "
            "Write the density by its mean mu, or give mean_link=, the link between the mean and the linear predictor.",
        )
    if family.variance is None or (family.is_rate and family.correlation is None):
        return
    together = size * (
        1.0 + (size - 1.0) * float(family.correlation(*measure.parameters)) if family.correlation else 1.0
    )
    variance = together * float(family.variance(stated / size, *measure.parameters))
    if abs(variance - spread) > 0.02 * spread:
        of_trials = f" with correlation(...) for {size:g} trials" if family.is_rate else "(...)"
        raise _refuse(
            family,
            f"the variance of log_density is {spread:.4g} and variance{of_trials} {variance:.4g} (at {measure.where}).",
        )


def _check_chances(measure: Measure) -> None:
    family, total = measure.family, np.cumsum(measure.chance)
    assert family.cdf is not None
    for place in np.searchsorted(total, (0.2, 0.5, 0.8)):
        value = float(measure.grid[place])
        response = (value, TRIALS) if family.is_rate else (value,)
        parameters = [np.array([number]) for number in measure.parameters]
        seen = np.array(family.cdf(response, family.linear(np.array([measure.eta])), *parameters), dtype=float)
        half = measure.chance[place] / 2.0
        below, upto = total[place] - 2.0 * half, total[place]
        alone = family.zeros != "" and value == 0.0
        between = measure.continuous and not alone
        expected = np.full(2, total[place] - half) if between else np.array([below, upto])
        if seen.shape != (2, 1) or not np.allclose(seen[:, 0], expected, atol=ROUGH):
            raise _refuse(
                family,
                f"cdf gives {seen.ravel().tolist()} at y = {value:.4g} ({measure.where}), and log_density "
                f"{expected.tolist()}: the chances of less, and of at most as much, a pair of arrays.",
            )


def _check_draws(measure: Measure) -> None:
    family, rng = measure.family, np.random.default_rng(11)
    eta = np.full(DRAWS, measure.eta)
    parameters = [np.full(DRAWS, number) for number in measure.parameters]
    trials = np.full(DRAWS, TRIALS if family.is_rate else 1.0)
    try:
        drawn = family.draw_responses(family.mean(eta, *parameters), trials, parameters, rng)
    except Exception as error:
        raise _refuse(family, f"draw(rng, shape, mean, trials, *parameters) fails: {error!r}.") from error
    if drawn.shape != (DRAWS,):
        raise _refuse(family, f"draw returns the shape {drawn.shape} where it is asked for {(DRAWS,)}.")
    if not np.isfinite(drawn.astype(float)).all():
        raise _refuse(family, f"draw returns numbers that are not finite (at {measure.where}).")
    places = (
        np.arange(len(measure.grid))
        if not measure.continuous
        else np.linspace(0, len(measure.grid) - 1, 1500).astype(int)
    )
    upto = np.searchsorted(np.sort(drawn), measure.grid[places], side="right") / DRAWS
    distance = np.abs(upto - np.cumsum(measure.chance)[places]).max() * np.sqrt(DRAWS)
    if distance > DISTANCE:
        raise _refuse(
            family,
            f"draw does not follow log_density (at {measure.where}): {DRAWS} draws have the mean {drawn.mean():.4g}, "
            f"the density {measure.chance @ measure.grid:.4g}. draw takes the mean, not the linear predictor.",
        )
