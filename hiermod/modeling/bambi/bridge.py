"""Hands a spec over to Bambi.

The `bmb.Model` has the rows behind the cells, the formula in Bambi's spelling, and the spec's priors. Correlated
group terms and priors of centred predictors go in as callables, which register the same variables as hiermod's own PyMC
model; so the two log densities are equal up to a constant, and their free variables have the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bambi as bmb
import formulae
import numpy as np
import pandas as pd

from hiermod.data.cells.statistics import BinomialCells
from hiermod.data.columns.predictors import Basis, Factor
from hiermod.errors import ModelError
from hiermod.formula.expressions import NAME, Column
from hiermod.formula.nodes import INTERCEPT, Term, TrialsResponse, without_slash
from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign, GroupEffect
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.pymc.parts import coefficient, group_effect, register_correlations
from hiermod.modeling.pymc.priors import distribution
from hiermod.modeling.spec import Spec
from hiermod.priors.distributions import Prior, alike, joined

CROSSED = "_x_"


def build_bambi(spec: ModelSpec) -> bmb.Model:
    """Build the `bmb.Model` of a spec.

    Raises
    ------
    ModelError
        If Bambi has no such model, or codes a term differently, so that its model would be another one.
    """
    if reason := spec.refuses("bambi"):
        raise ModelError(reason)
    assert isinstance(spec, Spec)
    _refuse_bases(spec)
    text, data = bambi_formula(spec), _bambi_data(spec)
    _check_same_coding(spec, text, data)
    model = bmb.Model(
        text, data, family=_family_name(spec), link=spec.family.link.name, priors=_priors(spec),
        center_predictors=False, auto_scale=False,
    )  # fmt: skip
    if aliases := _aliases(spec):
        model.set_alias(aliases)
    model.build()
    return model


def _refuse_bases(spec: Spec) -> None:
    for name, predictor in spec.cells.predictors.items():
        contrasted = isinstance(predictor, Factor) and predictor.coding != "treatment"
        if isinstance(predictor, Basis) or contrasted or "`" in name:
            raise ModelError(f"{name} has columns that Bambi would make in its own way. Use model.pymc().")


def _aliases(spec: Spec) -> dict[str, str]:
    """Bambi's names of effects that vary over crossed groups, and the names they should have: ``1|g:h``."""
    crossed = [(group, effect) for group in spec.groups for effect in group.effects if len(group.grouping.columns) > 1]
    return {_effect_name(group, effect): effect.name for group, effect in crossed}


def _effect_name(group: GroupDesign, effect: GroupEffect) -> str:
    return f"{effect.block.term.name}|{without_slash(CROSSED.join(group.grouping.columns))}"


def _family_name(spec: Spec) -> str:
    if isinstance(spec.cells.response, BinomialCells):
        return "binomial" if isinstance(spec.formula.response, TrialsResponse) else "bernoulli"
    if spec.family.bambi is None:
        raise ModelError(f"The family {spec.family.name} is not handed over to Bambi. Use model.pymc().")
    return spec.family.bambi


def bambi_formula(spec: Spec) -> str:
    """The formula in Bambi's spelling."""
    formula = spec.formula
    common = ([] if formula.intercept else ["0"]) + [_term(term) for term in formula.common]
    groups = [f"({_inside(group)} | {_group_column(group)})" for group in spec.groups]
    offsets = [f"offset({_quoted(name)})" for name in formula.offsets]
    return f"{_response(spec)} ~ {' + '.join([*(common or ['1']), *offsets, *groups])}"


def _inside(group: GroupDesign) -> str:
    terms = [effect.block.term for effect in group.effects]
    named = [_term(term) for term in terms if term != INTERCEPT]
    return " + ".join(["1" if INTERCEPT in terms else "0", *named])


def _term(term: Term) -> str:
    return ":".join(_quoted(variable) for variable in term.variables)


def _quoted(name: str) -> str:
    """Bambi gets variables that are no plain columns as columns of the data, under their names."""
    name = without_slash(name)
    return name if NAME.fullmatch(name) else f"`{name}`"


def _response(spec: Spec) -> str:
    response = spec.formula.response
    if not isinstance(response, TrialsResponse):
        return _quoted(response.name)
    successes, trials = _trials_columns(response)
    return f"p({_quoted(successes)}, {_quoted(trials)})"


def _trials_columns(response: TrialsResponse) -> tuple[str, str]:
    successes, trials = response.successes, response.trials
    return (
        successes.name if isinstance(successes, Column) else "successes",
        trials.name if isinstance(trials, Column) else "trials",
    )


def _group_column(group: GroupDesign) -> str:
    """Crossed groups become one column of the pairs that occur, so that Bambi does not make the full product."""
    return _quoted(CROSSED.join(group.grouping.columns))


def _bambi_data(spec: Spec) -> pd.DataFrame:
    frame, response = spec.cells.as_rows()
    data = frame.copy()
    for name, predictor in spec.cells.predictors.items():
        if isinstance(predictor, Factor):
            data[name] = _factor_column(frame[name], predictor, _is_full(spec, name))
    for group in spec.groups:
        labels = [str(label) for label in group.grouping.labels()]
        codes = group.grouping.codes(frame)
        name = CROSSED.join(group.grouping.columns)
        if name not in spec.cells.predictors:
            data[name] = pd.Categorical.from_codes(codes, categories=pd.Index(labels))
    if not isinstance(spec.formula.response, TrialsResponse):
        values = response.get("values", response.get("successes"))
        whole = spec.family.counts or spec.family.is_rate
        data[spec.formula.response.name] = np.asarray(values).astype(np.int64 if whole else float)
    else:
        for name, values in zip(_trials_columns(spec.formula.response), response.values(), strict=True):
            data[name] = np.asarray(values).astype(np.int64)
    return data.rename(columns=without_slash)


def _factor_column(values: pd.Series, factor: Factor, full: bool) -> Any:
    codes = values.cat.codes.to_numpy()
    if all(isinstance(level, bool) for level in factor.levels) and not full:
        return codes == 1
    return pd.Categorical.from_codes(codes, categories=pd.Index([str(level) for level in factor.levels]), ordered=True)


def _is_full(spec: Spec, name: str) -> bool:
    blocks = [*spec.common.blocks, *(effect.block for group in spec.groups for effect in group.effects)]
    return any(block.full and name in block.term.variables for block in blocks)


def _check_same_coding(spec: Spec, text: str, data: pd.DataFrame) -> None:
    design = formulae.design_matrices(text, data)
    frame, _ = spec.cells.as_rows()
    terms = design.common.terms if design.common is not None else ()
    written = {without_slash(name): name for name in terms if not name.startswith("offset(")}
    names = set(written)
    expected = {block.name for block in spec.common.blocks}
    if names != expected:
        _refuse(spec, f"the terms {sorted(names)} instead of {sorted(expected)}")
    for block in spec.common.blocks:
        _compare(spec, block, np.asarray(design.common[written[block.name]], dtype=float), frame)
    for group in spec.groups:
        for effect in group.effects:
            theirs = design.group.terms[_effect_name(group, effect)]
            if len(theirs.labels) != len(theirs.groups) * len(effect.block.columns):
                _refuse(spec, f"other columns for the varying effect {effect.name}")


def _compare(spec: Spec, block: Block, theirs: np.ndarray, frame: pd.DataFrame) -> None:
    ours = block.matrix(frame)
    if not np.array_equal(theirs.reshape(len(theirs), -1), ours):
        _refuse(spec, f"other columns for the term {block.name}")


def _refuse(spec: Spec, difference: str) -> None:
    raise ModelError(
        f"Bambi would read {spec.formula} as another model: it makes {difference}. Add main effects to the formula, "
        "with which both codings agree, or use model.pymc()."
    )


def _priors(spec: Spec) -> dict[str, Any]:
    priors: dict[str, Any] = {block.name: _common_prior(spec, block) for block in spec.common.blocks}
    for group in spec.groups:
        for index, effect in enumerate(group.effects):
            priors[_effect_name(group, effect)] = _effect_prior(spec, group, index)
    return priors | {name: _plain(spec.priors[name]) for name in spec.family.auxiliary}


def _plain(priors: Sequence[Prior], **options: Any) -> bmb.Prior:
    if not alike(priors):

        def register(name: str, **given: Any) -> Any:
            return distribution(priors, name, **given)

        return bmb.Prior("EntryByEntry", auto_scale=False, **{"dist": register, **options})
    record, arguments = joined(priors)
    return bmb.Prior(record.name, auto_scale=False, **arguments, **options)


def _common_prior(spec: Spec, block: Block) -> bmb.Prior:
    columns = spec.common.slices()[block.name]
    touched = np.any(spec.common.shift[columns]) or np.any(spec.common.shift[:, columns])
    priors = spec.priors[block.name]
    if not touched:
        return _plain(priors)

    def register(name: str, **_: Any) -> Any:
        return coefficient(spec, name)

    return _plain(priors, dist=register)


def _effect_prior(spec: Spec, group: GroupDesign, index: int) -> bmb.Prior:
    effect = group.effects[index]
    sigma = _plain(spec.priors[effect.sd_name])
    if not group.correlated:
        return bmb.Prior("Normal", auto_scale=False, mu=0, sigma=sigma)

    def register(name: str, sigma: Any, **_: Any) -> Any:
        register_correlations(spec, group)
        return group_effect(spec, group, index, sigma)

    return bmb.Prior("Correlated", auto_scale=False, dist=register, noncentered=False, sigma=sigma)
