"""Where draws of a posterior of few dimensions come from: its density itself, or a polynomial where that takes long.

Draws of a polynomial that is next to exact are taken as they are. Others are proposals that the density accepts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hiermod.marginal.draws import FIRM_BOUND, NotDrawnError, Proposal, draw, find_proposal, refined
from hiermod.marginal.mode import Density
from hiermod.marginal.placement import Placed
from hiermod.marginal.surrogate import Scatter, Surrogate, degrees, fit_surrogate, scattered
from hiermod.marginal.target import Target

LIGHT = 3e7  # terms, up to which all draws are made by the density itself
BEARABLE = 3e8  # and up to which they are where a polynomial does not do
TRIED = 4000  # draws made beforehand where that is quick
ALLOWED = 5e-5  # mean error of a polynomial's log density
CERTIFIED = 200  # draws of a polynomial that are compared with the density
FIRST, CLEARLY = 50, 0.25  # the first of these, which do where the error is so much smaller
SEED = 101


@dataclass(frozen=True, eq=False)
class Source:
    """A density with proposals, and perhaps a polynomial.

    Parameters
    ----------
    target : Target
    proposal : Proposal
    surrogate : Surrogate, optional
    exact : bool
        Whether the density has the last word.
    error : float
        What the log density of draws is off by, relative to the mode.
    """

    target: Target
    proposal: Proposal
    surrogate: Surrogate | None
    exact: bool
    error: float

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draws, shape ``(size, dimension)``.

        Raises
        ------
        NotDrawnError
        """
        density = self.target.log_density
        if self.surrogate is None:
            return draw(density, self.proposal, size, rng)
        if not self.exact:
            return draw(self.surrogate.log_density, self.proposal, size, rng)
        try:
            return refined(density, self.surrogate.log_density, self.proposal, size, rng)
        except NotDrawnError:  # the polynomial is too far off somewhere
            value = float(density(self.proposal.mode.point[None])[0])
            return draw(density, self.proposal.with_value(value), size, rng)


def find_source(placed: Placed) -> Source:
    """What draws quickly, once tails are looked at and some draws are made.

    Raises
    ------
    NotDrawnError
        If the density is too far from a normal one.
    """
    target, mode = placed.target, placed.mode
    rng = np.random.default_rng(SEED)
    proposal = find_proposal(target.log_density, mode)
    if target.likelihood.work * TRIED <= LIGHT:
        return _direct(placed, proposal, rng)
    try:
        return _by_polynomial(placed, proposal, rng)
    except NotDrawnError:
        if target.likelihood.work * TRIED > BEARABLE:
            raise
        return _direct(placed, proposal, rng)


def _direct(placed: Placed, proposal: Proposal, rng: np.random.Generator) -> Source:
    draw(placed.target.log_density, proposal, TRIED, rng, FIRM_BOUND)
    return Source(placed.target, proposal, None, True, placed.error)


def _by_polynomial(placed: Placed, proposal: Proposal, rng: np.random.Generator) -> Source:
    target, mode, density = placed.target, placed.mode, placed.target.log_density
    scatter: Scatter | None = None
    for degree in degrees(target.dimension):
        scatter = scattered(density, mode, degree, rng, scatter)
        surrogate = fit_surrogate(mode, degree, scatter)
        level = proposal.with_value(float(surrogate.log_density(mode.point[None])[0]))
        off = _error(density, surrogate, draw(surrogate.log_density, level, CERTIFIED, rng))
        if off < ALLOWED:
            return Source(target, level, surrogate, False, placed.error + off)
    refined(density, surrogate.log_density, level, CERTIFIED, rng)
    return Source(target, level, surrogate, True, placed.error)


def _error(density: Density, surrogate: Surrogate, points: np.ndarray) -> float:
    """How far a polynomial is off on average, up to a constant; by the first points if these say enough."""
    errors = np.zeros(0)
    for part, allowed in ((points[:FIRST], CLEARLY * ALLOWED), (points[FIRST:], np.inf)):
        errors = np.concatenate([errors, density(part) - surrogate.log_density(part)])
        off = float(np.abs(errors - errors.mean()).mean())
        if off < allowed:
            break
    return off
