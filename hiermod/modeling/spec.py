"""`Spec`: everything that defines a model, before it is built or sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hiermod.data.cells import Cells
from hiermod.formula.nodes import Formula
from hiermod.modeling.design import CommonDesign, VaryingBar, build_bar, build_common
from hiermod.modeling.families import Family
from hiermod.modeling.prior_choice import PriorTable, choose_priors


@dataclass(frozen=True, eq=False)
class Spec:
    """A hierarchical generalized linear model on cells.

    Parameters
    ----------
    formula : Formula
    family : Family
    cells : Cells
    common : CommonDesign
        The common terms.
    bars : tuple of VaryingBar
        The varying effects.
    priors : PriorTable
        A prior for every parameter.
    """

    formula: Formula
    family: Family
    cells: Cells
    common: CommonDesign
    bars: tuple[VaryingBar, ...]
    priors: PriorTable


def build_spec(formula: Formula, family: Family, cells: Cells, priors: Mapping[str, str]) -> tuple[Spec, list[str]]:
    """Put formula, cells, family and priors together; return the spec and its notices."""
    common = build_common(formula, cells)
    bars, notices = [], []
    for bar in formula.groups:
        built, found = build_bar(bar, cells)
        bars.append(built)
        notices.extend(found)
    table = choose_priors(family, cells, common, tuple(bars), priors)
    return Spec(formula, family, cells, common, tuple(bars), table), notices
