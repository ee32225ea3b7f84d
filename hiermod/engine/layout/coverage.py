"""Which models the compiled engine covers."""

from __future__ import annotations

from hiermod.modeling.spec import Spec


def uncovered(spec: Spec) -> str | None:
    """Why a model is not covered, None where it is."""
    if spec.family.kernel is None:
        return f"the family {spec.family} is not covered"
    for prior in (prior for priors in spec.priors.values() for prior in priors):
        if prior.distribution.standard is None:
            return f"the prior {prior.name} is not covered"
    return None
