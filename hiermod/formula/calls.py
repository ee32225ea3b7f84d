"""Calls of R's fitting functions in a formula's place, and the call of `hiermod.fit` that says the same."""

from __future__ import annotations

from hiermod.errors import FormulaError
from hiermod.formula.reader import Reader, Token

FITTING = {  # functions of R, and the family that each has where it is not told
    **dict.fromkeys(("lm", "lmer", "aov", "blmer", "stan_lm", "stan_lmer", "gls", "lme"), "gaussian"),
    **dict.fromkeys(("glm", "glmer", "bglmer", "glmmTMB", "gam", "gamm", "gamm4", "bam", "brm", "stan_glm",
                     "stan_glmer", "stan_gamm4", "glmmPQL"), ""),
    **dict.fromkeys(("glm.nb", "glmer.nb", "stan_glm.nb", "stan_glmer.nb"), "negbinomial"),
    **dict.fromkeys(("clm", "clmm", "clmm2", "polr", "stan_polr", "lrm", "orm"), "cumulative"),
    **dict.fromkeys(("multinom", "mblogit", "mlogit", "npmlt"), "categorical"),
}  # fmt: skip
LINKS = {"logistic": "logit"}  # polr's name of it
OPENING, CLOSING = ("(", "["), (")", "]")


def refuse_calls(reader: Reader) -> None:
    """Refuse a call of a function that fits models in R, and say what is typed here.

    Raises
    ------
    FormulaError
        With the formula and the family that the call has.
    """
    first = reader.peek()
    if first.kind != "name" or first.quoted or first.text not in FITTING or reader.peek(1).kind != "(":
        return
    arguments = _arguments(reader)
    if not arguments or not any(token.kind == "~" for token in arguments[0]):
        return
    (formula, *others) = arguments
    named = {own[0].text: own[2:] for own in others if len(own) > 2 and own[1].kind == "="}
    formula = formula[2:] if len(formula) > 2 and formula[1].kind == "=" else formula
    family = _family(FITTING[first.text], reader.text, named)
    said = f", family={family!r}" if family else ""
    raise FormulaError(
        f"{first.text}(…) fits a model in R. Here the formula stands alone: "
        f"hiermod.fit({_written(reader.text, formula)!r}, data{said}).",
        reader.text, first.start, first.end,
    )  # fmt: skip


def _arguments(reader: Reader) -> list[list[Token]]:
    """The arguments of the call that comes next."""
    parts: list[list[Token]] = [[]]
    depth, ahead = 0, 1
    while (token := reader.peek(ahead)).kind != "end":
        depth += (token.kind in OPENING) - (token.kind in CLOSING)
        if depth == 0:
            break
        if depth == 1 and token.kind == ",":
            parts.append([])
        elif (depth, token.kind) != (1, "(") or ahead > 1:
            parts[-1].append(token)
        ahead += 1
    return [part for part in parts if part]


def _family(usual: str, text: str, named: dict[str, list[Token]]) -> str:
    """The family with its link, as hiermod writes it."""
    family = _written(text, named["family"]).replace('"', "").replace("'", "") if "family" in named else usual
    link = next((named[name][0].text for name in ("link", "method") if name in named), "")
    link = LINKS.get(link, link)
    return f"{family}({link})" if family and link and "(" not in family and link != "logit" else family


def _written(text: str, tokens: list[Token]) -> str:
    return text[tokens[0].start : tokens[-1].end]
