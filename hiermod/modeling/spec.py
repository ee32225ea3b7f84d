"""`Spec`: everything that defines a model, before it is built or sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hiermod.data.cells.table import Cells
from hiermod.errors import DataError
from hiermod.families.record import Family
from hiermod.formula.nodes import Formula
from hiermod.modeling.design import CommonDesign, GroupDesign, build_common, build_group, offset
from hiermod.modeling.identifiability import dependence_notices, residual_notices
from hiermod.modeling.prior_choice import Priors, choose_priors


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
    groups : tuple of GroupDesign
        The varying effects.
    priors : mapping of str to tuple of Prior
        By variable of the posterior, a prior for each entry; correlations have one, for their matrix.
    """

    formula: Formula
    family: Family
    cells: Cells
    common: CommonDesign
    groups: tuple[GroupDesign, ...]
    priors: Priors


def build_spec(formula: Formula, family: Family, cells: Cells, priors: Mapping[str, str]) -> tuple[Spec, list[str]]:
    """Put formula, cells, family and priors together; return the spec and its notices."""
    common = build_common(formula, cells)
    groups, notices = [], []
    for term in formula.groups:
        built, found = build_group(term, cells)
        groups.append(built)
        notices.extend(found)
    chosen = choose_priors(family, cells, offset(formula, cells.frame), common, tuple(groups), priors)
    spec = Spec(formula, family, cells, common, tuple(groups), chosen)
    _refuse_clashes(spec)
    return spec, [*dependence_notices(common, cells), *notices, *residual_notices(family, groups, cells)]


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _refuse_clashes(spec: Spec) -> None:
    """Refuse column names that would give two variables or dimensions of the posterior one name."""
    names = [spec.formula.response.name, *(block.name for block in spec.common.blocks), *spec.family.auxiliary]
    names += [f"{block.name}_dim" for block in spec.common.blocks if block.labels]
    effects = [effect for term in spec.groups for effect in term.effects]
    names += [f"{effect.name}{tail}" for effect in effects for tail in ("", "_sigma", "_offset")]
    correlations = [term.correlation_name for term in spec.groups if term.correlated]
    names += [f"{name}{tail}" for name in correlations for tail in ("", "_offset", "_dim")]
    names += {f"{term.grouping.name}__factor_dim" for term in spec.groups}
    names += {f"{effect.block.term.name}__expr_dim" for effect in effects}
    twice = _repeated(names)
    if not twice:
        twice = _repeated([name for block in spec.common.blocks for name in block.row_names()])
    for group in {term.grouping.name for term in spec.groups}:
        twice = twice or _repeated(
            [
                name
                for term in spec.groups
                if term.grouping.name == group
                for effect in term.effects
                for name in effect.row_names
            ]
        )
    if twice:
        raise DataError(
            f"Two quantities of this model would be called {twice[0]!r}. Rename a column, or a level, of the formula."
        )
