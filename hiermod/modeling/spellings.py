"""Formulas as other packages spell them, read as hiermod writes them once the family is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hiermod.data.sources.frames import column_names
from hiermod.errors import ModelError
from hiermod.families.fixed import with_fixed
from hiermod.families.names import ALIASES
from hiermod.families.record import Family
from hiermod.families.registry import known, spelled_name
from hiermod.formula.expressions import Column, Number
from hiermod.formula.nodes import CountsResponse, Formula, TrialsResponse
from hiermod.formula.parts import without_bare_bar

UNCENTRED = "0 + Intercept: a prior of the intercept stands where predictors are 0, as in brms (intercept_at='zero')"


def behind_bar(text: str, family: str | None) -> tuple[str, list[str]]:
    """A formula of betareg's or pscl's with what stands behind its bar as a part of its own, and what to say."""
    record = known().get(ALIASES.get(spelled_name(family), spelled_name(family)))
    if record is None or not record.behind_bar or not isinstance(text, str):
        return text, []
    parted = without_bare_bar(text, record.behind_bar)
    if parted == text:
        return text, []
    link = record.parameter(record.behind_bar).chosen_link
    said = f"behind the bar stands the linear predictor of {record.behind_bar} ({link} link): {parted}"
    if record.zeros == "hurdle":
        said += "; pscl's is of the chance of no zero, with coefficients of the other sign"
    return parted, [said]


def with_numbers(formula: Formula, asked: Family | None) -> tuple[Formula, Family | None, list[str]]:
    """The formula and the family with what a formula sets to a number, and what to say.

    Raises
    ------
    ModelError
        If no family is named.
    """
    if not formula.fixed:
        return formula, asked, []
    if asked is None:
        name, value = formula.fixed[0]
        raise ModelError(f"{name} = {value:g} is of a family's parameter. Name the family, such as family='student'.")
    for name, value in formula.fixed:
        asked = with_fixed(asked, name, value)
    return replace(formula, fixed=()), asked, [f"the family is {asked}, by what the formula sets to a number"]


def spelled(formula: Formula, asked: Family | None, data: Any) -> tuple[Formula, list[str]]:
    """The formula as the family reads it, and what to say.

    ``y/10`` is arithmetic where the response is a number; ``y | trials(n)`` of categories has columns ``y.a``, ``y.b``.
    """
    response, said = formula.response, []
    real = asked is not None and asked.kind in ("real", "positive", "unit")
    if real and isinstance(response, TrialsResponse) and response.slash and isinstance(response.trials, Number):
        said.append(f"the response {response} is a number under {asked}: {response.ratio}")
        formula = replace(formula, response=response.ratio)
    if asked is not None and asked.statistic == "categories" and isinstance(response, TrialsResponse):
        formula, of_matrix = _of_matrix(formula, response, data)
        said += of_matrix
    if formula.uncentred:
        said.append(UNCENTRED)
    said += [f"a power of the one term {term} is that term, as in R: for its square write I({term}^2)"
             for term in formula.idle]  # fmt: skip
    return formula, said


def _of_matrix(formula: Formula, response: TrialsResponse, data: Any) -> tuple[Formula, list[str]]:
    """The formula with the columns of a matrix in its place: ``y.a``, ``y.b`` and so on, as R writes y to a file."""
    name, columns = str(response.successes), column_names(data)
    own = [column for column in columns if column.startswith(f"{name}.")]
    if not isinstance(response.successes, Column) or name in columns or len(own) < 3:
        return formula, []
    counts = CountsResponse(tuple(Column(column) for column in own), response.trials)
    return replace(formula, response=counts), [f"the columns {name}.… are those of the matrix {name}: {counts}"]


def notices_of_bambi(formula: Formula, family: Family) -> list[str]:
    """That Bambi's share is the rest of the one here."""
    if not family.zeros or "psi" not in [part.parameter for part in formula.further]:
        return []
    share = family.auxiliary[-1]
    return [f"psi is Bambi's 1 - {share}: the linear predictor is of {share}, and its coefficients have the other sign"]
