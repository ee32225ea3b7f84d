"""Points at which a family's density is looked at: its record is checked there, and stored fits know it by them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy import special

from hiermod.families.links import Link
from hiermod.families.ops import NUMPY
from hiermod.families.record import Family, ResponseScale

PROBES: dict[str, list[tuple[float, ...]]] = {  # responses that every family of a kind takes
    "rate": [(0.0, 1.0), (1.0, 1.0), (0.0, 7.0), (3.0, 7.0), (7.0, 7.0)],
    "count": [(0.0,), (1.0,), (2.0,), (7.0,), (40.0,)],
    "real": [(-3.0,), (-0.4,), (0.3,), (1.7,), (9.0,)],
    "positive": [(0.05,), (0.4,), (1.7,), (3.5,), (20.0,)],
    "unit": [(0.02,), (0.25,), (0.6,), (0.8,), (0.97,)],
}
POINTS = 60
FROM_LINE = {"positive": np.exp, "unit": special.expit, "real": np.positive}  # by the support of a parameter
MODERATE = {"positive": (0.2, 50.0), "unit": (0.02, 0.98), "real": (-3.0, 3.0)}
SCALE = ResponseScale(0.0, 1.0, 1.0)
DIGITS = 1e-9  # relative; a text has as many in NumPy and in PyTensor, and a stored family keeps as many


def from_line(link: Link, line: np.ndarray) -> np.ndarray:
    """Linear predictors that have a mean, by numbers on the line."""
    low, high = link.bounds
    return line if not link.is_bounded else low + np.exp(line) if np.isfinite(low) else high - np.exp(line)


@dataclass(frozen=True, eq=False)
class Points:
    """Responses, linear predictors and parameters, a number of each a point."""

    response: tuple[np.ndarray, ...]
    eta: np.ndarray
    parameters: tuple[np.ndarray, ...]

    def describe(self, family: Family, place: int) -> str:
        """One of the points, in words."""
        names = ("successes", "trials") if family.is_rate else ("y",)
        values = [*self.response, self.eta, *self.parameters]
        pairs = zip((*names, "eta", *family.auxiliary), values, strict=True)
        return ", ".join(f"{name} = {value[place]:.4g}" for name, value in pairs)


def points(family: Family) -> Points:
    """The points of a family; the same in every process."""
    rng = np.random.default_rng(7)
    probes = [(float(place),) for place in range(1, len(family.categories) + 1)] or PROBES[family.kind]
    probes = [(0.0,), *probes] if family.kind == "positive" and family.zeros else probes
    responses = np.array(probes)[np.arange(POINTS) % len(probes)]
    eta = from_line(family.link, rng.uniform(-2.0, 1.2, POINTS))
    lines = (rng.uniform(-0.9, 1.8, POINTS) for _ in family.parameters)
    parameters = [FROM_LINE[own.support](line) for own, line in zip(family.parameters, lines, strict=False)]
    entries = len(family.entries)
    if entries:  # in the order of thresholds
        parameters[:entries] = np.sort(parameters[:entries], axis=0)
    errors = (np.exp(rng.uniform(-0.9, 0.9, POINTS)),) if family.errors else ()
    return Points((*responses.T, *errors), eta, tuple(parameters))


def probe_densities(family: Family) -> list[float]:
    """Log densities at the points."""
    family = family.base or family
    at = points(family)
    with np.errstate(all="ignore"):
        seen = family.log_density(NUMPY, at.response, family.linear(at.eta), *at.parameters)
    return [float(density) for density in np.broadcast_to(seen, POINTS)]


def same_density(seen: list[float], family: Family) -> bool:
    """Whether these are a family's densities at the points."""
    own = probe_densities(family)
    return len(seen) == len(own) and np.allclose(seen, own, rtol=DIGITS, atol=DIGITS, equal_nan=True)


def fingerprint(family: Family) -> str:
    """A family's name with its link, and a text that is the same where the densities are."""
    rounded = ",".join(f"{density:.9e}" for density in probe_densities(family))
    return f"{family} {','.join(family.auxiliary)} {hashlib.sha256(rounded.encode()).hexdigest()[:16]}"


def usual_parameters(family: Family) -> list[float]:
    """The medians of the default priors of a response of unit scale, where these are moderate."""
    medians = [parameter.usual_prior(SCALE).quantile(np.array(0.5)) for parameter in family.parameters]
    ends = [MODERATE[parameter.support] for parameter in family.parameters]
    return [float(np.clip(median, *within)) for median, within in zip(medians, ends, strict=True)]
