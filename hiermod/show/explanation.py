"""A model in words and in LaTeX: what each part of a formula means, for given data or without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from hiermod.data.columns.predictors import Basis, Factor, Numeric, Steps
from hiermod.errors import HiermodError, enumerate_names, visible
from hiermod.families.record import Family
from hiermod.formula.expressions import Call, Expression
from hiermod.formula.nodes import (
    DOT,
    INTERCEPT,
    Bounds,
    CountsResponse,
    Formula,
    GroupTerm,
    LevelResponse,
    ParameterFormula,
    Term,
    TrialsResponse,
)
from hiermod.formula.parts import SPECIFIC_EFFECTS
from hiermod.formula.translate import SPELLINGS, spell
from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.model_priors import prior_summary
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth, basis_words, is_smooth, smooths_of
from hiermod.modeling.spec import Spec
from hiermod.tabular import text_table
from hiermod.terminal import lines_of, width
from hiermod.text_table import TextTable

Part = Formula | ParameterFormula
GREEK = ("alpha", "beta", "gamma", "delta", "kappa", "lambda", "nu", "phi", "rho", "sigma", "tau", "theta", "xi")
CODINGS = {
    "treatment": "indicators of its other levels; the reference is {!r}",
    "sum": "sum contrasts: each level against the mean of levels, the last follows",
    "helmert": "Helmert contrasts: each level against the mean of those before it",
    "poly": "polynomial contrasts over its ordered levels",
}
HANGING = " " * 4
SPECIAL = {
    "\\": r"}\backslash\text{", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$",
    "^": r"}\wedge\text{", "~": r"}\sim\text{",
}  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """A model in words; its repr is the text, ``latex`` the equations. A notebook shows both."""

    words: str
    latex: str
    priors: TextTable | None = None

    def __repr__(self) -> str:
        return self._text(width())

    @property
    def text(self) -> str:
        """The words, and the table of priors, in lines as long as they are.

        Examples
        --------
        >>> fit.model.explain().text.splitlines()[0]
        'success ~ treated + (1 + treated | country)'
        """
        return self._text(None)

    def _text(self, room: int | None) -> str:
        words = lines_of(visible(self.words), room, HANGING)
        return words if self.priors is None else f"{words}\n\nPriors:\n{self.priors.text(room)}"

    def _repr_markdown_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>\n\n{self._repr_latex_()}"

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
    lines += ["", "Common terms:", *_common(spec.formula, spec.formula, spec), *_offsets(spec.formula)]
    lines += _varying(spec.formula, spec)
    lines += _further(spec.formula, spec)
    lines += _sets(spec)
    lines += ["", f"Columns: {enumerate_names(spec.formula.all_columns, 30)}."]
    return Explanation("\n".join(lines), _aligned(_equations(spec)), _priors(spec))


def _priors(spec: Spec) -> TextTable:
    """The priors, a row each, those of whole columns of texts left out where there are none."""
    table = text_table(prior_summary(spec), ["parameter"])
    return replace(table, columns=[replace(column, left=True) for column in table.columns if any(column.texts)])


def _sets(spec: Spec) -> Iterator[str]:
    """What priors of sets of slopes say."""
    for own in spec.shrunk:
        unit = "sigma" if own.by_sigma else "the link's unit"
        yield ""
        yield f"{own.prior.name} of {enumerate_names(own.names, 12)}: per standard deviation of their columns they are"
        if own.is_horseshoe:
            share, slab = own.shared
            yield f"  normal about 0 with standard deviations {share} times {own.single}, in units of {unit}, {slab} at"
            yield "  most: most slopes are next to 0, and few are left as they are."
            continue
        explained = own.shared[0]
        yield f"  normal about 0 with variances {own.single} {explained} / (1 - {explained}), in squares of {unit};"
        yield f"  {explained} is the share of the variance that they explain together, {own.single} their parts in it."


def explain_formula(formula: Formula) -> str:
    """Explain what a formula says by itself, without data."""
    lines = [*_heading(formula), "", f"Response: {_response(formula)}.", "", "Common terms:"]
    lines += [*_common(formula, formula, None), *_offsets(formula), *_varying(formula, None), *_further(formula, None)]
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
        case CountsResponse():
            listed = enumerate_names(list(formula.response.categories), 6)
            return f"counts of the categories {listed}{counted}"
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
        yield ""
        yield _terms_of(part.parameter, spec)
        yield from (*_common(part, formula, spec), *_offsets(part))
        yield from _varying(part, spec)


def _terms_of(parameter: str, spec: Spec | None) -> str:
    """What the terms of a linear predictor are of."""
    if parameter == SPECIFIC_EFFECTS:
        of = f" for {spec.family.specific[0]} to {spec.family.specific[-1]}" if spec else ""
        return f"Terms whose effects differ between thresholds, coefficients of their own{of}:"
    link = f" on the {spec.predictors[parameter].link.name} scale" if spec else ""
    words = spec.family.parameter(parameter).words if spec else ""
    return f"Terms of {parameter}{f' ({words})' if words else ''}{link}:"


def _common(part: Part, formula: Formula, spec: Spec | None) -> Iterator[str]:
    if isinstance(spec, Spec) and spec.family.entries and isinstance(part, Formula):
        yield f"  {'Intercept[k]':<24} {len(spec.family.entries)} thresholds, each above its category k"
    elif part.intercept and not _is_anchored(part, spec):
        yield f"  {'Intercept':<24} the level where numbers are 0 and factors {_where_factors(spec)}"
    for term in part.common:
        yield f"  {term!s:<24} {_meaning(term, formula, spec)}"


def _is_anchored(part: Part, spec: Spec | None) -> bool:
    """Whether a linear predictor has no intercept since other parameters stand for it."""
    name = getattr(part, "parameter", "")
    return name == SPECIFIC_EFFECTS or (spec is not None and bool(name) and spec.family.parameter(name).anchored)


def _where_factors(spec: Spec | None) -> str:
    predictors = spec.cells.predictors.values() if spec else ()
    contrasted = any(isinstance(column, Factor) and column.coding != "treatment" for column in predictors)
    return "at their reference, or their contrasts 0" if contrasted else "at their reference"


def _offsets(formula: Part) -> Iterator[str]:
    for name in formula.offsets:
        yield f"  {name:<24} added with the coefficient 1"


def _meaning(term: Term, formula: Formula, spec: Spec | None) -> str:
    if term.variables == (DOT,):
        return "all other columns but the grouping factors"
    if spec is None:
        return _without_data(term, formula.expressions.get(term.variables[0]))
    blocks = [block for predictor in spec.predictors.values() for block in predictor.common.blocks]
    block = next(block for block in blocks if block.term == term)
    if block.wiggles:
        return _curve(Smooth(block, 0), formula.expressions[term.variables[0]])
    whole = {name for column in block.columns for name, code in column.levels if code == 0}
    parts = [
        f"{name} by an indicator for each level" if name in whole else _coding(spec, name) for name in term.variables
    ]
    columns = len(block.columns)
    count = f" ({columns} columns)" if columns > 1 else ""
    return (" times ".join(parts) if len(parts) > 1 else parts[0]) + count


def _curve(smooth: Smooth, expression: Expression) -> str:
    """A smooth: what it is a curve of, its basis, and what is penalised."""
    assert isinstance(expression, Call)
    by, x = dict(expression.options).get("by"), expression.arguments[0]
    levels, curve = smooth.levels, smooth.curves[0]
    if levels:
        what = f"a curve in {x} for each of {len(levels)} levels of {by}"
    else:
        what = f"a curve in {x}" if by is None else f"the slope of {by}, a curve in {x}"
    straight, wiggles = len(smooth.free) // len(smooth.curves), len(curve.wiggles)
    free = {0: "no column without a penalty", 1: "a straight line"}.get(straight, f"{straight} unpenalised columns")
    keys = curve.key if len(smooth.curves) == 1 else f"{curve.key}, ..."
    each = " each" if len(smooth.curves) > 1 else ""
    return f"{what}, a {basis_words(expression)}: {free} and {wiggles} wiggles{each}, whose sd is {keys}"


def _without_data(term: Term, expression: Expression | None) -> str:
    if isinstance(expression, Call) and is_smooth(expression):
        by = dict(expression.options).get("by")
        beside = "" if by is None else f" for each level of {by}, or as the slope of {by} if that is numeric"
        return f"a penalised curve in {expression.arguments[0]}{beside}, a {basis_words(expression)}"
    if len(term.variables) == 1:
        return "a slope if it is numeric, a difference from the reference for each other level of a factor"
    return f"the product of {', '.join(term.variables[:-1])} and {term.variables[-1]}"


def _coding(spec: Spec, name: str) -> str:
    match spec.cells.predictors[name]:
        case Numeric():
            return f"{name} as a number"
        case Steps(levels=levels):
            return f"{name}, steps from {levels[0]} up to {levels[-1]} that all go one way, shares of the whole effect"
        case Basis(_, count):
            return f"{name} as {count} numbers learned from the rows"
        case Factor(_, levels, coding) if all(isinstance(level, bool) for level in levels):
            return f"{name} as {coding} contrast of True"
        case Factor(_, levels, coding):
            return f"{name} ({len(levels)} levels) by {CODINGS[coding].format(str(levels[0]))}"


def _varying(formula: Part, spec: Spec | None) -> Iterator[str]:
    if formula.groups:
        yield ""
        on = "on each threshold" if not isinstance(formula, Formula) and formula.parameter == SPECIFIC_EFFECTS else ""
        of = "" if isinstance(formula, Formula) else f" {on or f'of {formula.parameter}'}"
        yield f"Varying effects{of}:"
    for group in formula.groups:
        yield f"  {group!s:<24} {_group_line(group, spec)}"


def _group_line(group: GroupTerm, spec: Spec | None) -> str:
    names = ["the intercept" if term == INTERCEPT else f"the effect of {term}" for term in group.written]
    several = len(names) > 1
    how = ", correlated" if several and group.correlated else ", independently" if several else ""
    how += f", with a covariance for each level of {group.by}" if group.covariances else ""
    how += f", correlated with the other effects of the ID {group.block}" if group.block else ""
    size = f"{spec.cells.groupings[group.group].groups:,} " if spec else ""
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
        lines.append(_thresholds(spec.family.thresholds.latex.replace("F", function, 1), spec.family))
    own = [name for name in spec.predictors if name != "mu" or spec.family.per_category is None]
    lines += [_predictor_equation(spec, spec.predictors[name]) for name in own]
    lines += [line for name in own for line in _penalties(smooths_of(spec.predictors[name].common.blocks))]
    lines += [_group_equation(group) for group in spec.groups]
    table = prior_summary(spec)
    together = {name for own in spec.shrunk for name in own.names}
    lines += [line for own in spec.shrunk for line in _set_equations(own)]
    return lines + [f"{_upright(_priors_of(row))} &\\sim {_upright(str(row.prior))}" for row in table.itertuples()
                    if row.parameter not in together]  # fmt: skip


def _set_equations(own: Shrunk) -> list[str]:
    """Slopes with one prior, s being the standard deviations of their columns."""
    names, sigma = ", ".join(map(_upright, own.names)), r"\sigma\, " if own.by_sigma else ""
    single = rf"\text{{{_plain(own.single)}}}_k"
    left = rf"s_k \beta_k &\sim \operatorname{{Normal}}(0, {{}}),\; \beta = ({names})"
    if own.is_horseshoe:
        share, slab = map(_upright, own.shared)
        wide = rf"{sigma}{share}\, {single}"
        return [left.replace("{}", r"\omega_k"), rf"\omega_k &= {wide} / \sqrt{{1 + ({wide} / {slab})^2}}"]
    explained = _upright(own.shared[0])
    return [left.replace("{}", r"\omega_k"), rf"\omega_k &= {sigma}\sqrt{{{single}\, {explained} / (1 - {explained})}}"]


def _plain(name: str) -> str:
    return _upright(name).removeprefix(r"\text{").removesuffix("}")


def _thresholds(line: str, family: Family) -> str:
    """Thresholds and linear predictor, with what moves a threshold of its own, and distances times a discrimination."""
    line = line.replace(r"\mu_i", rf"(\mu_i + {_move('k')})") if family.specific else line
    disc = next((name for name in family.added if name in family.auxiliary), "")
    left, sign, right = line.partition("&= ")
    return rf"{left}{sign}{_sign(disc)}_i ({right})" if disc else line


def _move(threshold: str) -> str:
    """What moves a threshold in row i."""
    return rf"\mathit{{{SPECIFIC_EFFECTS}}}_{{{threshold},i}}"


def _priors_of(row: Any) -> str:
    """What a prior is of: a parameter, or the chances that thresholds give."""
    return str(row.scale) if str(row.scale).startswith("chances") else str(row.parameter)


def _likelihood(spec: Spec) -> str:
    """The distribution of row i; a parameter with a linear predictor differs between rows."""
    text = spec.family.latex
    if spec.family.per_category is not None:
        odds = ", ".join(rf"{_sign(name)}_i" for name in spec.family.auxiliary)
        counted = isinstance(spec.formula.response, CountsResponse)
        name = r"\operatorname{Multinomial}(n_i, " if counted else r"\operatorname{Categorical}("
        return rf"{name}\operatorname{{softmax}}(0, {odds}))"
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
    ordered = spec.family.thresholds is not None and predictor.parameter == "mu"
    left = r"\mu_i" if ordered else predictor.link.latex
    if predictor.parameter in spec.family.specific:
        left = _move(predictor.parameter.removeprefix(SPECIFIC_EFFECTS))
    elif predictor.parameter != "mu":
        left = left.replace(r"\mu_i", f"{_sign(predictor.parameter)}_i")
    return f"{left} &= {' + '.join(parts) or '0'}"


def _penalties(smooths: Iterable[Smooth]) -> Iterator[str]:
    """Of each curve, that its wiggles are normal with one standard deviation."""
    for smooth in smooths:
        names = smooth.block.row_names()
        for curve in smooth.curves:
            own = [names[place - smooth.first] for place in curve.wiggles]
            listed = own if len(own) < 3 else [own[0], r"\ldots", own[-1]]
            text = ", ".join(rf"\beta_{{{_upright(name)}}}" if name != r"\ldots" else name for name in listed)
            yield rf"{text} &\sim \operatorname{{Normal}}(0, {_upright(curve.key)})"


def _common_part(block: Block) -> str:
    if block.term == INTERCEPT:
        return rf"\beta_{{{_upright(block.name)}}}"
    if block.steps:
        return _monotonic_part(block)
    transposed = "^\\top" if block.labels is not None else ""
    return rf"\beta_{{{_upright(block.name)}}}{transposed}\, {_upright(block.term.name)}_i"


def _monotonic_part(block: Block) -> str:
    """The whole effect times the share of the steps up to the row's level, times what else is in the product."""
    term = block.term
    own = next(name for name in term.variables if name.startswith("mo("))
    name, rest = _upright(block.prefix + term.name), term.without(own)
    beside = rf"\, {_upright(rest.name)}_i" if rest.variables else ""
    level = _upright(own.removeprefix("mo(").removesuffix(")"))
    return rf"\beta_{{{name}}} \textstyle\sum_{{k=1}}^{{{level}_i}} \zeta_{{{name},k}}{beside}"


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
