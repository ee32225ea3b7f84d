"""Means and spreads of sampled posteriors with little Monte Carlo error, by control variates.

The expectation of Δp + ∇p · ∇log π under a density π is zero for any polynomial p. What of a quantity such variates
explain is therefore known without error (Assaraf & Caffarel 1999, Phys. Rev. Lett. 83, 4682; Mira, Solgi & Imparato
2013, Stat. Comput. 23, 653-662). Here π is the density that the compiled engine samples, effects and all, in the
sampler's coordinates, where it is nearly standard normal; polynomials are of common coefficients and hyperparameters.
"""

import ctypes
from dataclasses import dataclass
from itertools import combinations_with_replacement

import arviz_stats as azs
import numpy as np
import xarray as xr

from hiermod.engine import nutpie_core
from hiermod.engine.build.compile import Function
from hiermod.engine.draw_store import Expand
from hiermod.engine.layout.problem import read_problem
from hiermod.engine.layout.program import Program, starting_points
from hiermod.engine.layout.units import in_own_unit
from hiermod.sampling.native import WARM_UP, placed, posterior_of

CHAINS, CORES = 4, 2


@dataclass(frozen=True)
class Moments:
    """Of each quantity its mean and standard deviation, and the Monte Carlo errors of both."""

    mean: np.ndarray
    spread: np.ndarray
    error_of_mean: np.ndarray
    error_of_spread: np.ndarray


class Coordinates(Program):
    """A program whose draws are points of the sampler's coordinates as they are."""

    @property
    def expanded(self):
        return self.problem.dimension


@Expand
def as_they_are(size, _, point, out, __):
    ctypes.memmove(out, point, 8 * size)
    return 0


def sampled(model, names, draws, seed):
    """Moments of some variables as the compiled engine samples them."""
    problem = in_own_unit(read_problem(model._defined.spec))
    native = placed(problem, lambda _: None)
    program = native.program
    copying = {**program.compiled, "expand": Function(ctypes.cast(as_they_are, ctypes.c_void_p).value, 5)}
    chains = nutpie_core.start(
        Coordinates(problem, program.memory, copying), draws, WARM_UP, CHAINS, CORES, seed, native.target_accept,
        starting_points(program),
    )  # fmt: skip
    z = chains.wait().draws.reshape(-1, problem.dimension)
    numbers = np.array([np.concatenate(program.expand(point)) for point in z])
    gradient = np.array([program.log_density(point)[1] for point in z])
    own = np.concatenate([np.arange(problem.linear), np.arange(-len(problem.hyperparameters), 0)])
    posterior = posterior_of(problem, numbers.reshape(CHAINS, draws, -1))
    return moments(entries(posterior, names), variates(z[:, own], gradient[:, own]))


def entries(posterior, names):
    """All numbers of some variables that vary, shape ``(chain, draw, quantity)``."""
    columns = [posterior[name].transpose("chain", "draw", ...).to_numpy() for name in names]
    found = np.concatenate([own.reshape(*own.shape[:2], -1) for own in columns], axis=2)
    return found[:, :, found.std(axis=(0, 1)) > 1e-9]


def variates(z, gradient):
    """Control variates of all monomials of first and second degree."""
    size, found = z.shape[1], [*gradient.T]
    for i, j in combinations_with_replacement(range(size), 2):
        found.append(z[:, i] * gradient[:, j] + z[:, j] * gradient[:, i] + 2.0 * (i == j))
    return np.stack(found, axis=1)


def moments(values, controls=None):
    """Moments of draws, each quantity freed of what control variates explain."""
    shape, found = values.shape[:2], []
    freed = freed_of(controls) if controls is not None else lambda numbers: numbers
    for quantity in np.moveaxis(values, 2, 0):
        first = freed(quantity.ravel())
        squares = freed((quantity.ravel() - first.mean()) ** 2)
        spread = np.sqrt(squares.mean())
        errors = error_of_mean(first.reshape(shape)), error_of_mean(squares.reshape(shape)) / (2.0 * spread)
        found.append((first.mean(), spread, *errors))
    return Moments(*np.array(found).T)


def freed_of(controls):
    """What takes off numbers their regression on control variates."""
    centre = controls.mean(axis=0)
    directions, upper = np.linalg.qr(controls - centre)
    shift = np.linalg.solve(upper.T, centre)

    def freed(numbers):
        along = directions.T @ numbers
        return numbers - directions @ along - shift @ along

    return freed


def error_of_mean(draws):
    return float(azs.mcse(xr.DataArray(draws, dims=("chain", "draw")), method="mean"))
