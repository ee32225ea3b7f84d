"""Takes somebody else's Bambi model: its formula, data, draws and priors under this package's names.

Nothing is taken on trust: the columns of every term and the group of every row are compared with those that this
package makes of the same formula, so that draws of the same names mean the same mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from hiermod.data.cells.statistics import BinomialCells, PairCells
from hiermod.data.columns.predictors import Predictor
from hiermod.errors import DataError, FormulaError, ModelError, enumerate_names
from hiermod.families.registry import read_family
from hiermod.formula.nodes import INTERCEPT, Formula, Term
from hiermod.formula.parser import canonical, parse
from hiermod.modeling.bambi.coding import Matched, matched, recoded
from hiermod.modeling.bambi.families import FAMILIES, NOTICES
from hiermod.modeling.coding import Block
from hiermod.modeling.definition import Defined, Definition, define
from hiermod.modeling.design import GroupDesign, GroupEffect, offset
from hiermod.modeling.protocol import DIMS, Variable, dataset_of
from hiermod.modeling.spec import Spec

OFFSET, GROUPED, PROCESS = "OffsetTerm", "GroupSpecificTerm", "HSGPTerm"
GROUPS, COLUMNS = "__factor_dim", "__expr_dim"  # the ends of the names of Bambi's dims


@dataclass(frozen=True, eq=False)
class Taken:
    """What a Bambi model is here, and by what each column of a variable is larger here than there (``scale(x)``)."""

    defined: Defined
    sizes: Mapping[str, np.ndarray]

    @property
    def spec(self) -> Spec:
        """The spec; it has no priors."""
        assert isinstance(self.defined.spec, Spec)
        return self.defined.spec


def take(model: Any) -> Taken:
    """What a Bambi model is here; its priors stay Bambi's, so that the spec has none.

    Raises
    ------
    ModelError
        If it is no Bambi model, or something of it has no counterpart; the message says what.
    """
    if not isinstance(model, bmb.Model):
        raise ModelError(f"A bambi.Model is needed, not {type(model).__name__}; hiermod.fit takes formula and data.")
    if model.formula.additionals:
        raise ModelError(
            f"This model has formulas of other parameters too ({enumerate_names(model.formula.additionals)}). "
            "Answers are about models of the mean alone."
        )
    formula, said = _formula(model)
    if not model.built and any(type(term).__name__ == PROCESS for term in _terms(model).values()):
        model.build()
    definition = Definition(str(formula), _family(model))
    data = _data(model, formula)
    common, effects = _compared(model, _defined(replace(definition, compress=False), data).spec)
    defined = _defined(definition, data)
    blocks, varying = ({name: one.block for name, one in terms.items()} for terms in (common, effects))
    spec = replace(recoded(defined.spec, blocks, varying), priors={})
    sizes = {name: one.sizes for name, one in {**common, **effects}.items()}
    said += filter(None, [NOTICES.get(spec.family.name)])
    return Taken(replace(defined, spec=spec, notices=(*defined.notices, *said, *_size_notices(sizes))), sizes)


def _size_notices(sizes: Mapping[str, np.ndarray]) -> list[str]:
    return [
        f"{name}: columns are {', '.join(f'{one:.6g}' for one in ratios)} times Bambi's, as in R; coefficients follow"
        for name, ratios in sizes.items()
        if not np.allclose(ratios, 1.0, rtol=1e-9)
    ]


def _formula(model: Any) -> tuple[Formula, list[str]]:
    """The formula with the common terms that Bambi makes of it, and what to say of these.

    Bambi's group terms are uncorrelated, which ``||`` says here.
    """
    try:
        formula = parse(model.formula.main)
    except FormulaError as error:
        raise ModelError(f"The formula of this Bambi model has a part without counterpart. {error}") from error
    groups = tuple(replace(group, correlated=False) for group in formula.groups)
    formula = replace(formula, groups=groups)
    theirs = [term for term in _common_terms(model) if term != INTERCEPT]
    known = {name for term in (*formula.common, *formula.terms) for name in term.variables}
    if set(theirs) == set(formula.common) or not {name for term in theirs for name in term.variables} <= known:
        return formula, []
    read = replace(formula, common=tuple(sorted(theirs, key=lambda term: len(term.variables))))
    return read, [f"Bambi reads {formula} as {read}"]


def _family(model: Any) -> str:
    name, parent = model.family.name, model.family.likelihood.parent
    text = f"{name}({model.family.link[parent].name})"
    try:
        return str(read_family(text, FAMILIES))
    except DataError as error:
        raise ModelError(f"Answers know no Bambi family {text}. {error}") from error


def _data(model: Any, formula: Formula) -> pd.DataFrame:
    """The data with the levels of factors in formulae's order; all are coded by treatment contrasts there."""
    data = model.data.copy()
    for name in formula.predictor_columns:
        if name in data and not pd.api.types.is_numeric_dtype(data[name]):
            values = data[name]
            ordered = isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered
            levels = list(values.cat.categories) if ordered else sorted(values.dropna().unique().tolist())
            data[name] = pd.Categorical(values, categories=levels, ordered=False)
    return data


def _defined(definition: Definition, data: pd.DataFrame) -> Any:
    try:
        return define(definition, data, FAMILIES)
    except (FormulaError, DataError) as error:
        raise ModelError(f"This Bambi model has no counterpart: {error}") from error


def _term_of(name: str) -> Term:
    """A term of formulae: ``np.log(x):f`` is that of ``log(x):f``."""
    parts, depth = [""], 0
    for character in name:
        depth += (character in "([") - (character in ")]")
        if character == ":" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return Term(()) if name in ("Intercept", "1") else Term(tuple(canonical(part) for part in parts))


def _terms(model: Any) -> dict[str, Any]:
    return dict(model.parameters[model.family.likelihood.parent].terms)


def _common_terms(model: Any) -> dict[Term, Any]:
    """Bambi's common terms by their names here."""
    terms = {name: term for name, term in _terms(model).items() if type(term).__name__ not in (OFFSET, GROUPED)}
    return {_term_of(name): term for name, term in terms.items()}


def _group_terms(model: Any) -> dict[tuple[Term, frozenset[str]], Any]:
    """Bambi's varying effects by term and columns of the group."""
    terms_by_place = {}
    for name, term in _terms(model).items():
        if type(term).__name__ == GROUPED:
            inside, _, group = name.rpartition("|")
            terms_by_place[_term_of(inside), frozenset(group.split(":"))] = term
    return terms_by_place


def _group_term(model: Any, group: GroupDesign, effect: GroupEffect) -> Any:
    """Bambi's term of an effect; None where it has none."""
    return _group_terms(model).get((effect.block.term, frozenset(group.grouping.columns)))


def _compared(model: Any, spec: Spec) -> tuple[dict[str, Matched], dict[str, Matched]]:
    """Compare every row; return the columns of common terms and of varying effects as Bambi codes them, by name."""
    frame, predictors = spec.cells.frame, spec.cells.predictors
    blocks: dict[str, Matched] = {}
    effects: dict[str, Matched] = {}
    _compare("the response", _response(spec), np.asarray(model.response_term.data, dtype=float))
    common = _common_terms(model)
    expected = {block.term for block in spec.common.blocks}
    if set(common) != expected:
        _refuse(f"it has the terms {enumerate_names(common)} where {enumerate_names(expected)} were expected")
    for block in spec.common.blocks:
        blocks[block.name] = _matched(f"the term {block.name}", block, common[block.term], predictors, frame)
    offsets = [term.data for term in _terms(model).values() if type(term).__name__ == OFFSET]
    _compare("the offset", offset(spec.formula.offsets, frame), sum(offsets, np.zeros(len(frame))))
    for group in spec.groups:
        groups = np.array([str(label) for label in group.grouping.labels()])[group.grouping.codes(frame)]
        for effect in group.effects:
            theirs = _group_term(model, group, effect)
            if theirs is None:
                _refuse(f"it has no varying effect {effect.name}")
            labels = np.array([str(label) for label in theirs.groups])[np.asarray(theirs.group_index, dtype=int)]
            if len(labels) != len(groups) or (labels != groups).any():
                _refuse(f"rows belong to other groups in {effect.name}")
            effects[effect.name] = _matched(
                f"the varying effect {effect.name}", effect.block, theirs, predictors, frame
            )
            _check_normal(effect.name, theirs.prior)
    return blocks, effects


def _response(spec: Spec) -> np.ndarray:
    _, response = spec.cells.as_rows()
    if isinstance(spec.cells.response, BinomialCells | PairCells) and hasattr(spec.formula.response, "trials"):
        return np.column_stack([np.asarray(response[name], dtype=float) for name in ("successes", "trials")])
    return np.asarray(response.get("values", response.get("successes")), dtype=float)


def _compare(what: str, ours: np.ndarray, theirs: Any) -> None:
    theirs = np.asarray(theirs, dtype=float)
    if theirs.size != ours.size or not np.allclose(theirs.reshape(ours.shape), ours, rtol=1e-9, atol=1e-9):
        _refuse(f"{what} has other columns or values")


def _matched(what: str, block: Block, term: Any, predictors: Mapping[str, Predictor], frame: pd.DataFrame) -> Matched:
    """The columns of a term as Bambi codes them; a term that has others is another one."""
    if type(term).__name__ == PROCESS:
        _compare(what, block.matrix(frame), _waves(term))
        return Matched(block, np.ones(len(block.columns)))
    columns = np.asarray(term.predictor if type(term).__name__ == GROUPED else term.data, dtype=float)
    if columns.size % len(frame):
        _refuse(f"{what} has other rows")
    labels = [[str(label) for label in own] for dim, own in term.coords.items() if not dim.endswith(GROUPS)]
    found = matched(block, columns, labels[0] if labels else (), predictors, frame)
    if found is None:
        raise ModelError(f"This Bambi model has no counterpart: {what} has other columns or values.")
    if labels and len(labels[0]) != (count := len(found.block.columns)):
        raise ModelError(
            f"Bambi itself can neither fit this model nor predict with it: it gives {what} {len(labels[0])} labels "
            f"for {count} columns. Write f + f:x for f/x."
        )
    return found


def _waves(term: Any) -> np.ndarray:
    """The basis of a Gaussian process on Bambi's rows, level after level of ``by=``; its model is built."""
    if term.scale is None and not term.automatic_priors:
        _refuse(
            f"{term.name} has priors of its own, with which Bambi does not scale x: write scale=False in the formula"
        )
    data = np.asarray(term.data_centered, dtype=float) / (term.maximum_distance if term.scale_predictors else 1.0)
    if term.by_levels is None:
        return np.asarray(term.hsgp.prior_linearized(data)[0].eval())
    parts = []
    for place, level in enumerate(term.by_levels):
        waves = np.asarray(term.hsgp[level].prior_linearized(data)[0].eval())
        parts.append(np.where((term.by == place)[:, None], waves, 0.0))
    return np.hstack(parts)


def _weights(posterior: xr.Dataset, term: Any) -> np.ndarray:
    """The weights of a Gaussian process's basis, in the order of `_waves`."""
    called = _called(term)
    if (name := f"{called}_weights") not in posterior:
        raise ModelError(f"The draws have no variable {name!r}, which this Bambi model has.")
    dims = [f"{called}_by"] if term.by_levels is not None else []
    values = posterior[name].transpose(*DIMS, *dims, f"{called}_weights_dim").to_numpy()
    return np.asarray(values.reshape(*values.shape[:2], -1))


def _check_normal(name: str, prior: Any) -> None:
    mean = prior.args.get("mu", 0)
    plain = isinstance(mean, int | float | np.ndarray) and not np.any(np.asarray(mean, dtype=float))
    if prior.name != "Normal" or not plain or not isinstance(prior.args.get("sigma"), bmb.Prior):
        _refuse(
            f"the effects {name} are {prior}, and new groups are drawn from Normal(0, sd) with one sd for each column"
        )


def _refuse(difference: str) -> None:
    raise ModelError(f"This Bambi model has no counterpart: {difference}.")


def variables(model: Any, taken: Taken, posterior: xr.Dataset) -> xr.Dataset:
    """Bambi's draws under the names, dims and labels of a spec."""
    spec, sizes, common = taken.spec, taken.sizes, _common_terms(model)
    values_by_name: dict[str, np.ndarray] = {}
    for block in spec.common.blocks:
        term = common[block.term]
        process = type(term).__name__ == PROCESS
        values = _weights(posterior, term) if process else _draws(posterior, _called(term), term.coords)
        values_by_name[block.name] = _shaped(values, spec.variable(block.name)) / _per_column(sizes[block.name], block)
    for group in spec.groups:
        for effect in group.effects:
            term, size = _group_term(model, group, effect), _per_column(sizes[effect.name], effect.block)
            columns = {dim: labels for dim, labels in term.coords.items() if dim.endswith(COLUMNS)}
            sds = _draws(posterior, f"{_called(term)}_sigma", columns)
            values_by_name[effect.sd_name] = _shaped(sds, spec.variable(effect.sd_name)) / np.abs(size)
            values_by_name[effect.name] = _effects(posterior, term, spec.variable(effect.name)) / size
    for name in spec.family.auxiliary:
        values_by_name[name] = _auxiliary(model, posterior, name)
    return dataset_of(spec.variables(), values_by_name)


def _per_column(sizes: np.ndarray, block: Block) -> Any:
    return sizes if block.labels else float(sizes[0])


def _called(term: Any) -> str:
    return str(term.alias or term.name)


def _draws(posterior: xr.Dataset, name: str, coords: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """A variable's draws, shape ``(chain, draw, *coords)``: dims are found by name, their entries by label.

    Bambi's fit puts the dims of groups last, its PyMC model first. An alias of a term renames the first part of a dim,
    and keeps the last: ``f__expr_dim``, ``slope__expr_dim``.
    """
    if name not in posterior:
        raise ModelError(
            f"The draws have no variable {name!r}, which this Bambi model has. They have: "
            f"{enumerate_names(posterior.data_vars)}."
        )
    values = posterior[name]
    dims = [str(dim) for dim in values.dims if dim not in DIMS]
    places = {kind: [dim for dim in dims if _kind(dim) == kind] for kind in map(_kind, coords)}
    if len(dims) != len(coords) or any(len(found) != 1 for found in places.values()):
        raise ModelError(f"The variable {name!r} has the dims {dims}; this Bambi model's are {list(coords)}.")
    for dim, labels in coords.items():
        (found,) = places[_kind(dim)]
        values = _in_order(values, found, [str(label) for label in labels])
    order = [places[_kind(dim)][0] for dim in coords]
    return np.asarray(values.transpose(*DIMS, *order).to_numpy())


def _kind(dim: str) -> str:
    """What a dim of Bambi holds: groups, columns of a varying effect, or columns of a common term."""
    return next((end for end in (GROUPS, COLUMNS) if dim.endswith(end)), "_dim")


def _in_order(values: xr.DataArray, dim: str, labels: list[str]) -> xr.DataArray:
    """The entries of a dim as `labels` name them; without labels of its own it must have their number."""
    found = [str(label) for label in values[dim].to_numpy()] if dim in values.coords else labels
    if sorted(found) != sorted(labels) or values.sizes[dim] != len(labels):
        raise ModelError(
            f"The dim {dim!r} of {values.name!r} has {values.sizes[dim]} entries, {enumerate_names(found, 6)}; this "
            f"Bambi model's has {enumerate_names(labels, 6)}."
        )
    return values if found == labels else values.isel({dim: [found.index(label) for label in labels]})


def _shaped(values: np.ndarray, variable: Variable) -> np.ndarray:
    """Draws in the shape of a variable; a dim of size 1 is dropped where there should be none."""
    if values[0, 0].size != np.prod(variable.shape, dtype=int):
        _refuse(f"{variable.name} has {values[0, 0].size} numbers in each draw where {variable.shape} were expected")
    return values.reshape(*values.shape[:2], *variable.shape)


def _effects(posterior: xr.Dataset, term: Any, variable: Variable) -> np.ndarray:
    """Effects of the groups that occur, in this package's order; formulae has all pairs of crossed groups."""
    places = {str(label): place for place, label in enumerate(term.groups)}
    values = _draws(posterior, _called(term), term.coords)
    return _shaped(values[:, :, [places[label] for label in variable.labels[0]]], variable)


def _auxiliary(model: Any, posterior: xr.Dataset, name: str) -> np.ndarray:
    """The family's own parameter: sampled, or a number that was given for it."""
    prior = model.parameters[name].prior
    if hasattr(prior, "args"):
        return _draws(posterior, str(model.parameters[name].alias or name), {})
    return np.full((posterior.sizes["chain"], posterior.sizes["draw"]), float(prior))


def prior_table(model: Any, spec: Spec) -> pd.DataFrame:
    """Bambi's own priors, in the columns of `Model.prior_summary`."""
    if not model.built:
        model.build()
    link = spec.family.link.name
    at = "predictors at their means" if model.center_predictors and len(spec.common.blocks) > 1 else ""
    common = _common_terms(model)
    rows = [
        (block.name, str(common[block.term].prior), link, at if block.name == "Intercept" else "")
        for block in spec.common.blocks
    ]
    for group in spec.groups:
        for effect in group.effects:
            shown = "1" if effect.block.term == INTERCEPT else effect.block.term.name
            sigma = _group_term(model, group, effect).prior.args["sigma"]
            rows.append((f"sd({shown}|{group.grouping.name})", str(sigma), link, ""))
    rows += [(name, str(model.parameters[name].prior), "", "") for name in spec.family.auxiliary]
    return pd.DataFrame(rows, columns=["parameter", "prior", "scale", "stated_at"])
