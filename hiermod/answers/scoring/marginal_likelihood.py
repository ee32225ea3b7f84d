"""The marginal likelihood of pooled rates: the density of all rows, every parameter integrated out."""

from __future__ import annotations

import numpy as np

from hiermod.answers.reader import by_model
from hiermod.answers.scoring.group_density import PooledGroups
from hiermod.data.cells.observations import Members, observations
from hiermod.errors import ModelError
from hiermod.exact.leave_out import LeavingOut
from hiermod.modeling.hyperpriors import EXAMPLES
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior


def log_marginal_likelihood(posterior: Posterior) -> float:
    """The log of the density of the rows, with all constants; no draws are needed.

    Raises
    ------
    ModelError
        If the hyperprior is improper, or the model is another one.
    """
    return by_model(posterior.spec, linear=_refuse, pooled=lambda spec: _of_pooled(posterior, spec))


def _refuse(spec: Spec) -> float:
    raise ModelError(
        "The marginal likelihood is known of pooled rates alone (pooling='beta', 'gamma' or 'none'), whose integral is "
        f"exact, not of {spec.formula}. hm.compare() tells which of several models predicts better."
    )


def _of_pooled(posterior: Posterior, spec: PooledSpec) -> float:
    if spec.improper:
        proper = EXAMPLES[spec.hyperprior.pool]
        raise ModelError(
            f"The marginal likelihood is arbitrary here: pooling={spec.hyperprior.pooling!r} has the improper "
            f"hyperprior that prior_summary() shows, which any number may multiply. Give {proper}; or "
            "compare models by what they predict: hm.compare()."
        )
    seen = observations(spec.cells, spec.family.counts)
    everything = Members(np.arange(len(seen)), seen.times)
    total = PooledGroups(posterior, spec, seen).totals(everything)[3]
    for stratum in range(len(spec.stratum_names)):
        own = spec.stratum == stratum
        total += LeavingOut(spec.hyperprior, spec.events[own], spec.exposure[own]).log_density()
    return total
