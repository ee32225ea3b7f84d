"""Thresholds of ordered categories as one random variable, whose prior stands where predictors are at their means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from hiermod.families.record import THRESHOLDS
from hiermod.modeling.pymc.likelihood import PYTENSOR
from hiermod.modeling.pymc.parts import coefficient, register_dims
from hiermod.modeling.pymc.priors import log_density
from hiermod.modeling.spec import Spec
from hiermod.modeling.thresholds import draw_thresholds, is_of_chances, start_of, usual_place


class FromOne(Transform):
    """Samples minus one threshold, as an intercept is, and the distances of the others from neighbour to neighbour.

    Distances of thresholds that have to increase are sampled by their logarithms; of others all are from the one.
    """

    name = "from_one"

    def __init__(self, place: int, increasing: bool) -> None:
        self.place, self.increasing = place, increasing

    def forward(self, value: Any, *inputs: Any) -> Any:
        """To the line."""
        centred, at = value - inputs[-1], self.place
        if not self.increasing:
            return pt.set_subtensor((centred - centred[at])[at], -centred[at])
        return pt.concatenate([pt.log(pt.diff(centred)[:at]), -centred[at : at + 1], pt.log(pt.diff(centred)[at:])])

    def backward(self, value: Any, *inputs: Any) -> Any:
        """From the line."""
        at, one = self.place, -value[self.place]
        if not self.increasing:
            return pt.set_subtensor((value + one)[at], one) + inputs[-1]
        below, above = pt.exp(value[:at]), pt.exp(value[at + 1 :])
        low = one - pt.cumsum(below[::-1])[::-1]
        return pt.concatenate([low, pt.stack([one]), one + pt.cumsum(above)]) + inputs[-1]

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Of the logarithms."""
        return value.sum() - value[self.place] if self.increasing else pt.zeros(())


def thresholds(spec: Spec) -> list[Any]:
    """Register the thresholds in the user's coding, where there are any; they move with the coefficients."""
    family, slices = spec.family, spec.coefficients.slices()
    if family.thresholds is None:
        return []
    shift: Any = pt.zeros((len(family.entries),))
    for block in spec.coefficients.blocks:
        weights = spec.threshold_moves[slices[block.name]]
        if weights.any():
            value = coefficient(spec, block.name)
            shift = shift + (pt.dot(value, weights) if block.labels else weights[0] * value)
    priors, count = spec.priors[THRESHOLDS], len(family.entries)
    record = family.thresholds

    def logp(value: Any, moved: Any) -> Any:
        own = [value[place] - moved[place] for place in range(count)]
        if is_of_chances(priors):
            return record.log_prior(PYTENSOR, family.link, priors[0].arguments[0], own)
        return sum(log_density(prior, one) for prior, one in zip(priors, own, strict=True))

    def random(moved: Any, rng: Any = None, size: Any = None) -> np.ndarray:
        return draw_thresholds(family, priors, rng or np.random.default_rng(), 1)[0] + moved

    def start(_: Any, __: Any, moved: Any) -> Any:
        return start_of(family, spec.cells.response) + moved

    transform = FromOne(usual_place(spec.cells.response), record.increasing)
    dims = register_dims(spec.variable(THRESHOLDS))
    whole = pm.CustomDist(
        THRESHOLDS, shift, logp=logp, random=random, support_point=start, default_transform=transform,
        dims=dims, signature="(k)->(k)",
    )  # fmt: skip
    return [whole[place] for place in range(count)]
