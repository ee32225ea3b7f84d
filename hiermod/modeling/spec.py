"""`Spec`: everything that defines a hierarchical generalized linear model, before it is built or sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hiermod.data.cells.table import Cells
from hiermod.errors import DataError
from hiermod.families.record import Family
from hiermod.formula.nodes import Formula
from hiermod.modeling.design import CommonDesign, GroupDesign, LinearPredictor, build_common, build_group, offset
from hiermod.modeling.identifiability import dependence_notices, residual_notices
from hiermod.modeling.prior_choice import Priors, choose_priors
from hiermod.modeling.variables import Variable, linear_variables


@dataclass(frozen=True, eq=False)
class Spec:
    """A hierarchical generalized linear model on cells.

    Parameters
    ----------
    formula : Formula
    family : Family
    cells : Cells
    predictors : mapping of str to LinearPredictor
        The linear predictors by the family's parameters: that of the mean, ``mu``.
    groups : tuple of GroupDesign
        The group terms; each of their effects names the parameter in whose predictor it stands.
    priors : mapping of str to tuple of Prior
        By variable of the posterior, a prior for each entry; correlations have one, for their matrix.
    """

    formula: Formula
    family: Family
    cells: Cells
    predictors: Mapping[str, LinearPredictor]
    groups: tuple[GroupDesign, ...]
    priors: Priors

    @property
    def common(self) -> CommonDesign:
        """The common terms of the mean."""
        return self.predictors["mu"].common

    def variables(self) -> tuple[Variable, ...]:
        """The variables of a posterior, in order."""
        return tuple(self._by_name.values())

    def variable(self, name: str) -> Variable:
        """One of them."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        found = linear_variables(self.predictors, self.groups, self.family.auxiliary)
        return {variable.name: variable for variable in found}


def build_spec(formula: Formula, family: Family, cells: Cells, priors: Mapping[str, str]) -> tuple[Spec, list[str]]:
    """Put formula, cells, family and priors together; return the spec and its notices."""
    common = build_common(formula, cells)
    groups, notices = [], []
    for term in formula.groups:
        built, found = build_group(term, cells)
        groups.append(built)
        notices.extend(found)
    chosen = choose_priors(family, cells, offset(formula.offsets, cells.frame), common, tuple(groups), priors)
    predictors = {"mu": LinearPredictor("mu", family.link, common, formula.offsets)}
    spec = Spec(formula, family, cells, predictors, tuple(groups), chosen)
    _refuse_clashes(spec)
    return spec, [*dependence_notices(common, cells), *notices, *residual_notices(family, groups, cells)]


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _refuse_clashes(spec: Spec) -> None:
    """Refuse column names that would give two variables or dimensions of the posterior one name."""
    variables = list(linear_variables(spec.predictors, spec.groups, spec.family.auxiliary))
    names = [spec.formula.response.name, *(variable.name for variable in variables)]
    names += [f"{variable.name}_offset" for variable in variables if variable.role in ("effect", "correlation")]
    dims = (zip(variable.dims, variable.labels, strict=True) for variable in variables)
    names += [dim for dim, _ in dict.fromkeys(pair for pairs in dims for pair in pairs)]
    twice = _repeated(names)
    if not twice:
        twice = _repeated([name for block in spec.common.blocks for name in block.row_names()])
    for group in {term.grouping.name for term in spec.groups}:
        own = [term.row_names for term in spec.groups if term.grouping.name == group]
        twice = twice or _repeated([name for names_of_term in own for name in names_of_term])
    if twice:
        raise DataError(
            f"Two quantities of this model would be called {twice[0]!r}. Rename a column, or a level, of the formula."
        )
