"""What the compiled engine covers: families by their kernels, with one linear predictor and with several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hiermod.engine.kernels.record import KERNELS, ORDERED_KERNELS, ROW_KERNELS, SLOTS
from hiermod.families.links import LINKS
from hiermod.families.record import Family
from hiermod.modeling.spec import Spec

ONE = {*KERNELS, *ORDERED_KERNELS, *ROW_KERNELS}
YES, NO, NONE = "yes", "PyMC", "-"
HEAD = "| family | one linear predictor | one for each parameter |\n|---|---|---|"


def refused(spec: Spec) -> str | None:
    """Why the engine does not take a model; None where it does."""
    if why := spec.refuses("compiled"):
        return why
    if spec.family.base is None and not covers_one(spec.family):
        return f"the family {spec.family} is not covered"
    if len(spec.predictors) > 1 and not covers_several(spec.family):
        return f"linear predictors of several parameters of the family {spec.family} are not covered"
    return None


def covers_one(family: Family) -> bool:
    """Whether there is a kernel of a family with its link."""
    return family.kernel is not None and _kernel(family) in ONE


def covers_several(family: Family) -> bool:
    """Whether its kernel is one of single rows, that each parameter can have a linear predictor of."""
    return family.kernel is not None and _kernel(family) in ROW_KERNELS and len(family.single) < SLOTS


def _kernel(family: Family) -> str:
    return f"{family.kernel}_{family.link.name}"


def table(families: Iterable[Family]) -> str:
    """A row for each family with each of its links, in Markdown."""
    rows = []
    for family in families:
        for name in family.links:
            linked = replace(family, link=LINKS[name])
            several = any(own.links for own in linked.single)
            words = (YES if covers_one(linked) else NO), (YES if covers_several(linked) else NO) if several else NONE
            rows.append(f"| {linked} | {words[0]} | {words[1]} |")
    return "\n".join([HEAD, *rows])
