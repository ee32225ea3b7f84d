"""What Bambi fits and hiermod does not: refused by name, with the lines that fit it there and bring it back."""

from __future__ import annotations

from hiermod.errors import DataError, FormulaError, HiermodError
from hiermod.families.names import ABSENT, OF_BAMBI
from hiermod.families.record import Family
from hiermod.families.registry import REGISTERED, spelled_name
from hiermod.formula.nodes import Formula, TrialsResponse
from hiermod.formula.translate import spell

PROCESS = "hsgp"
UNANSWERED = ("dirichlet_multinomial",)  # families that Bambi fits, and about which there are no answers here


def lines_of_bambi(formula: Formula, family: str = "gaussian", back: bool = True) -> str:
    """The lines that fit a formula with Bambi and make a `Fit` of it, or why there are none."""
    name, _, link = family.rstrip(")").partition("(")
    try:
        text = spell(formula, "bambi")
    except HiermodError as error:
        return f" Bambi has it, but not this formula: {error}"
    linked = f', link="{link}"' if link else ""
    lines = [f'model = bambi.Model("{text}", data, family="{name}"{linked})', "idata = model.fit()"]
    lines += ["fit = hiermod.from_bambi(model, idata)"] if back else []
    does = "fit it with Bambi and bring it back" if back else "fit it with Bambi, whose answers it then has"
    return f" {['', '', 'Two', 'Three'][len(lines)]} lines {does}:\n" + "\n".join(f"    {line}" for line in lines)


def refuse_families_of_bambi(family: str | None, formula: Formula) -> None:
    """Refuse a family that Bambi alone has.

    Raises
    ------
    DataError
    """
    name = spelled_name(family) if family is not None else ""
    if name in OF_BAMBI and name not in REGISTERED:
        nearest = next((text for names, text in ABSENT.items() if name in names), "")
        theirs = OF_BAMBI[name]
        lines = lines_of_bambi(formula, theirs, theirs not in UNANSWERED)
        raise DataError(f"There is no family {family!r}. {nearest}".rstrip() + lines)


def refuse_processes(formula: Formula, family: Family) -> None:
    """Refuse Gaussian processes.

    Raises
    ------
    FormulaError
    """
    for name, expression in formula.expressions.items():
        if PROCESS not in expression.functions:
            continue
        of_trials = isinstance(formula.response, TrialsResponse)
        theirs = ("binomial" if of_trials else "bernoulli") if family.statistic == "trials" else family.bambi
        without = f" Bambi fits them, but the family {family} is not handed over to it."
        lines = lines_of_bambi(formula, f"{theirs}({family.link.name})") if theirs else without
        raise FormulaError(
            f"Gaussian processes, {name}, are not fitted here; the nearest is s({expression.columns[0]}).{lines}",
            formula.text, *formula.places.get(name, (0, len(formula.text))),
        )  # fmt: skip
