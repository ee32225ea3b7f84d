"""A model in words and in LaTeX: what each part of a formula means, for given data or without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hiermod.data.columns.predictors import Basis, Factor, Numeric
from hiermod.errors import HiermodError, enumerate_names, visible
from hiermod.formula.nodes import (
    DOT,
    INTERCEPT,
    Bounds,
    Formula,
    GroupTerm,
    LevelResponse,
    ParameterFormula,
    Term,
    TrialsResponse,
)
from hiermod.formula.translate import SPELLINGS, spell
from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.model_priors import prior_summary
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec

Part = Formula | ParameterFormula
GREEK = ("alpha", "beta", "gamma", "delta", "kappa", "lambda", "nu", "phi", "rho", "sigma", "tau", "theta", "xi")
CODINGS = {
    "treatment": "indicators of its other levels; the reference is {!r}",
    "sum": "sum contrasts: each level against the mean of levels, the last follows",
    "helmert": "Helmert contrasts: each level against the mean of those before it",
    "poly": "polynomial contrasts over its ordered levels",
}
SPECIAL = {
    "\\": r"}\backslash\text{", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$",
    "^": r"}\wedge\text{", "~": r"}\sim\text{",
}  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """A model in words; its repr is the text, ``latex`` the equations, which a notebook shows."""

    text: str
    latex: str

    def __repr__(self) -> str:
        return visible(self.text)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"


def explain(spec: ModelSpec) -> Explanation:
    """Explain a model with its data."""
    lines = [*_heading(spec.formula), "", f"Response: {_response(spec.formula)}, {spec.family}."]
    if isinstance(spec, PooledSpec):
        lines += ["", *_pooled(spec)]
        return Explanation("\n".join(lines), _aligned(_pooled_equations(spec)))
    assert isinstance(spec, Spec)
    lines[-1] += f" The terms add up to its {spec.family.location or spec.family.link.words}."
    lines += [spec.family.words] if spec.family.words else []
    lines += ["", "Common terms:", *_common(spec.formula, spec), *_offsets(spec.formula)]
    lines += _varying(spec.formula, spec)
    lines += _further(spec.formula, spec)
    lines += ["", f"Columns: {enumerate_names(spec.formula.all_columns, 30)}.", "", "Priors:"]
    lines += [f"  {line}" for line in prior_summary(spec).to_string(index=False).splitlines()]
    return Explanation("\n".join(lines), _aligned(_equations(spec)))


def explain_formula(formula: Formula) -> str:
    """Explain what a formula says by itself, without data."""
    lines = [*_heading(formula), "", f"Response: {_response(formula)}.", "", "Common terms:"]
    lines += [*_common(formula, None), *_offsets(formula), *_varying(formula, None), *_further(formula, None)]
    lines += ["", f"Columns: {enumerate_names([name for name in formula.all_columns if name != DOT], 30)}."]
    return "\n".join(lines)


def _heading(formula: Formula) -> list[str]:
    return [str(formula), *(f"  {name + ':':<7}{_spelled(formula, name)}" for name in SPELLINGS)]


def _spelled(formula: Formula, program: str) -> str:
    """The formula as another program takes it, or why that one does not."""
    try:
        return spell(formula, program)
    except HiermodError as error:
        return str(error).partition(" Rename it")[0].partition("\n")[0]


def _response(formula: Formula) -> str:
    counted = f", each row counted {formula.weights} times" if formula.weights else ""
    match formula.response:
        case TrialsResponse(successes, trials):
            return f"{successes} successes out of {trials} trials{counted}"
        case LevelResponse(column, level):
            return f"whether {column} is {level!r}{counted}"
    return f"{formula.response}{_bounds(formula.bounds)}{counted}"


def _bounds(bounds: Bounds | None) -> str:
    """What is known of a response by bounds, in words."""
    if bounds is None:
        return ""
    told = []
    if bounds.code is not None:
        surv = f"right-censored where {bounds.code} has no event"
        told.append(surv if bounds.events else f"censored by {bounds.code}")
    told += [f"intervals end at {bounds.upper}"] if bounds.upper is not None else []
    told += [f"none recorded below {bounds.least}"] if bounds.least is not None else []
    told += [f"none recorded above {bounds.most}"] if bounds.most is not None else []
    return f" ({', '.join(told)})"


def _further(formula: Formula, spec: Spec | None) -> Iterator[str]:
    """The linear predictors of other parameters than the mean."""
    for part in formula.further:
        link = f" on the {spec.predictors[part.parameter].link.name} scale" if spec else ""
        words = spec.family.parameter(part.parameter).words if spec else ""
        yield ""
        yield f"Terms of {part.parameter}{f' ({words})' if words else ''}{link}:"
        yield from (*_common(part, spec), *_offsets(part))
        yield from _varying(part, spec)


def _common(formula: Part, spec: Spec | None) -> Iterator[str]:
    if isinstance(spec, Spec) and spec.family.entries and isinstance(formula, Formula):
        yield f"  {'Intercept[k]':<24} {len(spec.family.entries)} thresholds, each above its category k"
    elif formula.intercept:
        yield f"  {'Intercept':<24} the level where numbers are 0 and factors {_where_factors(spec)}"
    for term in formula.common:
        yield f"  {term!s:<24} {_meaning(term, spec)}"


def _where_factors(spec: Spec | None) -> str:
    predictors = spec.cells.predictors.values() if spec else ()
    contrasted = any(isinstance(column, Factor) and column.coding != "treatment" for column in predictors)
    return "at their reference, or their contrasts 0" if contrasted else "at their reference"


def _offsets(formula: Part) -> Iterator[str]:
    for name in formula.offsets:
        yield f"  {name:<24} added with the coefficient 1"


def _meaning(term: Term, spec: Spec | None) -> str:
    if term.variables == (DOT,):
        return "all other columns but the grouping factors"
    if spec is None:
        return _without_data(term)
    blocks = [block for predictor in spec.predictors.values() for block in predictor.common.blocks]
    block = next(block for block in blocks if block.term == term)
    whole = {name for column in block.columns for name, code in column.levels if code == 0}
    parts = [
        f"{name} by an indicator for each level" if name in whole else _coding(spec, name) for name in term.variables
    ]
    columns = len(block.columns)
    count = f" ({columns} columns)" if columns > 1 else ""
    return (" times ".join(parts) if len(parts) > 1 else parts[0]) + count


def _without_data(term: Term) -> str:
    if len(term.variables) == 1:
        return "a slope if it is numeric, a difference from the reference for each other level of a factor"
    return f"the product of {', '.join(term.variables[:-1])} and {term.variables[-1]}"


def _coding(spec: Spec, name: str) -> str:
    match spec.cells.predictors[name]:
        case Numeric():
            return f"{name} as a number"
        case Basis(_, count):
            return f"{name} as {count} numbers learned from the rows"
        case Factor(_, levels, coding) if all(isinstance(level, bool) for level in levels):
            return f"{name} as {coding} contrast of True"
        case Factor(_, levels, coding):
            return f"{name} ({len(levels)} levels) by {CODINGS[coding].format(str(levels[0]))}"


def _varying(formula: Part, spec: Spec | None) -> Iterator[str]:
    if formula.groups:
        yield ""
        yield "Varying effects:" if isinstance(formula, Formula) else f"Varying effects of {formula.parameter}:"
    for group in formula.groups:
        yield f"  {group!s:<24} {_group_line(group, spec)}"


def _group_line(group: GroupTerm, spec: Spec | None) -> str:
    names = ["the intercept" if term == INTERCEPT else f"the effect of {term}" for term in group.terms]
    several = len(names) > 1
    how = ", correlated" if several and group.correlated else ", independently" if several else ""
    how += f", correlated with the other effects of the ID {group.block}" if group.block else ""
    size = f"{spec.cells.groupings[group.group].size:,} " if spec else ""
    over = (
        f"levels of {group.factors[0]}"
        if len(group.factors) == 1
        else f"occurring combinations of {', '.join(group.factors)}"
    )
    return f"{' and '.join(names)} {'vary' if several else 'varies'} over the {size}{over}{how}"


def _aligned(lines: list[str]) -> str:
    return r"\begin{aligned}" + " \\\\\n".join(lines) + r"\end{aligned}"


def _upright(name: str) -> str:
    """A name as upright text, its special characters escaped."""
    return r"\text{" + "".join(SPECIAL.get(character, character) for character in name) + "}"


def _pooled(spec: PooledSpec) -> list[str]:
    """What rates are draws from, and its hyperprior."""
    if spec.hyperprior.fixed is not None:
        return [
            f"The rates of {spec.grouping.name} are not pooled: each is uniform from 0 to 1, whatever the others are."
        ]
    rates = "Beta(a, b)" if spec.pool.name == "beta" else "Gamma distribution"
    within = "" if spec.strata is None else f", within each level of {spec.strata.name}"
    default = spec.pool.name == "beta" and not spec.hyperprior.priors
    end = ", p(a, b) ∝ (a + b)^(-5/2)." if default else ":"
    text = [f"The rates of {spec.grouping.name} are draws from one {rates}{within}{end}"]
    return text if default else [*text, *(f"  {name} ~ {prior}: {at}" for name, prior, _, at in spec.prior_rows())]


def _pooled_equations(spec: PooledSpec) -> list[str]:
    group, beta = _upright(spec.grouping.name), spec.pool.name == "beta"
    within = "" if spec.strata is None else f"_{{{_upright(spec.strata.name)}[j]}}"
    likelihood = r"\operatorname{Binomial}(n_i, \theta" if beta else r"\operatorname{Poisson}(e_i \theta"
    rates = rf"\operatorname{{Beta}}(a{within}, b{within})" if beta else (
        rf"\operatorname{{Gamma}}(\alpha{within}, \alpha{within} / \mu{within})"
    )  # fmt: skip
    if spec.hyperprior.fixed is not None:
        rates = r"\operatorname{Uniform}(0, 1)"
    lines = [
        _upright(spec.formula.response.name) + rf"_i &\sim {likelihood}_{{{group}[i]}})", rf"\theta_j &\sim {rates}"
    ]  # fmt: skip
    if spec.hyperprior.fixed is not None:
        return lines
    if beta and not spec.hyperprior.priors:
        return [*lines, r"p(a, b) &\propto (a + b)^{-5/2}"]
    return lines + [rf"{_upright(name)} &\sim {_upright(prior)}" for name, prior, *_ in spec.prior_rows()[:-1]]


def _equations(spec: Spec) -> list[str]:
    """Likelihood, linear predictor, varying effects and priors, a line each."""
    response = spec.formula.response
    observed = str(response.successes) if isinstance(response, TrialsResponse) else str(response)
    lines = [f"{_upright(observed)}_i &\\sim {_likelihood(spec)}"]
    if spec.family.thresholds is not None:
        function = rf"\operatorname{{{spec.family.link.name}}}"
        lines.append(spec.family.thresholds.latex.replace("F", function, 1))
    lines += [_predictor_equation(spec, predictor) for predictor in spec.predictors.values()]
    lines += [_group_equation(group) for group in spec.groups]
    table = prior_summary(spec)
    return lines + [f"{_upright(str(row.parameter))} &\\sim {_upright(str(row.prior))}" for row in table.itertuples()]


def _likelihood(spec: Spec) -> str:
    """The distribution of row i; a parameter with a linear predictor differs between rows."""
    text = spec.family.latex
    for name in spec.predictors:
        if name != "mu":
            text = re.sub(rf"({re.escape(_sign(name))})(?![A-Za-z_])", r"\1_i", text)
    return text


def _sign(parameter: str) -> str:
    """A parameter as equations have it: a Greek letter where it is one."""
    return rf"\{parameter}" if parameter in GREEK else _upright(parameter)


def _predictor_equation(spec: Spec, predictor: LinearPredictor) -> str:
    parts = [_common_part(block) for block in predictor.common.blocks]
    parts += [_upright(name) + "_i" for name in predictor.offsets]
    parts += [
        _varying_part(effect.block, group.grouping.name)
        for group in spec.groups
        for effect in group.effects
        if effect.parameter == predictor.parameter
    ]
    left = predictor.link.latex if spec.family.thresholds is None else r"\mu_i"
    if predictor.parameter != "mu":
        left = left.replace(r"\mu_i", f"{_sign(predictor.parameter)}_i")
    return f"{left} &= {' + '.join(parts) or '0'}"


def _common_part(block: Block) -> str:
    if block.term == INTERCEPT:
        return rf"\beta_{{{_upright(block.name)}}}"
    transposed = "^\\top" if block.labels is not None else ""
    return rf"\beta_{{{_upright(block.name)}}}{transposed}\, {_upright(block.term.name)}_i"


def _varying_part(block: Block, group: str) -> str:
    effect = rf"u^{{{_upright(block.prefix + (block.term.name if block.term != INTERCEPT else 'Intercept'))}}}"
    effect += rf"_{{{_upright(group)}[i]}}"
    return effect if block.term == INTERCEPT else rf"{effect}\, {_upright(block.term.name)}_i"


def _group_equation(group: GroupDesign) -> str:
    names = ", ".join(rf"u^{{{_upright(name)}}}_j" for name in group.row_names)
    if len(group.row_names) == 1:
        return rf"{names} &\sim \operatorname{{Normal}}(0, \sigma_{{{_upright(group.effects[0].name)}}})"
    covariance = r"D R D" if group.correlated else "D^2"
    scales = rf"\operatorname{{diag}}(\sigma_{{\cdot|{_upright(group.grouping.name)}}})"
    return rf"({names}) &\sim \operatorname{{Normal}}(0, {covariance}),\; D = {scales}"
