"""The equations of a model in LaTeX."""

from __future__ import annotations

from hiermod.formula.nodes import INTERCEPT, TrialsResponse
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.model_priors import prior_summary
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec

SPECIAL = {
    "\\": r"}\backslash\text{", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$",
    "^": r"}\wedge\text{", "~": r"}\sim\text{",
}  # fmt: skip


def latex_of(spec: Spec | BetaSpec) -> str:
    """Likelihood, linear predictor, varying effects and priors, a line each."""
    lines = _beta_lines(spec) if isinstance(spec, BetaSpec) else _linear_lines(spec)
    return r"\begin{aligned}" + " \\\\\n".join(lines) + r"\end{aligned}"


def text(name: str) -> str:
    """A name as upright text, its special characters escaped."""
    return r"\text{" + "".join(SPECIAL.get(character, character) for character in name) + "}"


def _beta_lines(spec: BetaSpec) -> list[str]:
    group = text(spec.grouping.name)
    return [
        text(spec.formula.response.name) + r"_i &\sim \operatorname{Binomial}(n_i, \theta_{" + group + "[i]})",
        r"\theta_j &\sim \operatorname{Beta}(a, b)",
        r"p(a, b) &\propto (a + b)^{-5/2}",
    ]


def _linear_lines(spec: Spec) -> list[str]:
    response = spec.formula.response
    observed = str(response.successes) if isinstance(response, TrialsResponse) else str(response)
    parts = [_common_part(block.name, block.labels is not None) for block in spec.common.blocks]
    parts += [text(name) + "_i" for name in spec.formula.offsets]
    parts += [
        _varying_part(effect.block.term.name, group.grouping.name) for group in spec.groups for effect in group.effects
    ]
    lines = [
        f"{text(observed)}_i &\\sim {spec.family.latex}",
        f"{spec.family.link.latex} &= {' + '.join(parts) or '0'}",
    ]
    lines += [_group_line(group) for group in spec.groups]
    table = prior_summary(spec)
    return lines + [f"{text(str(row.parameter))} &\\sim {text(str(row.prior))}" for row in table.itertuples()]


def _common_part(name: str, several: bool) -> str:
    if name == "Intercept":
        return r"\beta_{\text{Intercept}}"
    transposed = "^\\top" if several else ""
    return rf"\beta_{{{text(name)}}}{transposed}\, {text(name)}_i"


def _varying_part(term: str, group: str) -> str:
    own = "Intercept" if term == str(INTERCEPT) else term
    factor = "" if term == str(INTERCEPT) else rf"\, {text(term)}_i"
    return rf"u^{{{text(own)}}}_{{{text(group)}[i]}}{factor}"


def _group_line(group: GroupDesign) -> str:
    names = ", ".join(rf"u^{{{text(name)}}}_j" for name in group.row_names)
    if len(group.row_names) == 1:
        return rf"{names} &\sim \operatorname{{Normal}}(0, \sigma_{{{text(group.effects[0].name)}}})"
    covariance = r"D R D" if group.correlated else "D^2"
    scales = rf"\operatorname{{diag}}(\sigma_{{\cdot|{text(group.grouping.name)}}})"
    return rf"({names}) &\sim \operatorname{{Normal}}(0, {covariance}),\; D = {scales}"
