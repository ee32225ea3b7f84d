"""An answer's table as text: plain, Markdown, LaTeX; numbers rounded by their Monte Carlo error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hiermod.answers.answer import COMPUTED
from hiermod.answers.rounding import decimals
from hiermod.data.columns.values import level_text

if TYPE_CHECKING:
    from hiermod.answers.answer import Answer

RATIO = "evidence_ratio"  # its error is that of the probability behind it
LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
         "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
         "|": r"\textbar{}"}  # fmt: skip
MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\|*_`[]<>$"})


def cells(answer: Answer) -> dict[str, list[str]]:
    """The text of every cell by column."""
    table, known = answer.table, decimals(answer)
    return {str(name): _column(table[name], known.get(str(name))) for name in table.columns}


def _column(values: pd.Series, places: int | None) -> list[str]:
    if not pd.api.types.is_float_dtype(values.dtype):
        return [level_text(value) for value in values]
    if places is not None:
        return [_rounded(value, places) for value in values.tolist()]
    if values.name == RATIO:
        return [f"{value:.3g}" for value in values]
    sizes = values[values != 0].abs()
    own = values.name in (*COMPUTED, "sd") or str(values.name).startswith("prob")
    fixed = own and (sizes.empty or (sizes.max() >= 1e-3 and sizes.max() < 1e6))
    return [f"{value:.4f}" if fixed else f"{value:.4g}" for value in values]


def _rounded(value: float, places: int) -> str:
    """Very small and very large numbers keep their exponent; none is printed as 0 that is not."""
    if np.isfinite(value) and value != 0.0 and (abs(value) >= 1e6 or abs(value) < 0.5 * 10.0**-places):
        return f"{value:.1g}" if abs(value) < 1.0 else f"{value:.4g}"
    return f"{value:.{places}f}"


def is_number(answer: Answer, name: str) -> bool:
    """Whether a column stands at the right."""
    return bool(pd.api.types.is_numeric_dtype(answer.table[name])) if name in answer.table else False


def plain(answer: Answer) -> str:
    """The table in plain text."""
    texts = cells(answer)
    widths = {name: max(map(len, [name, *own])) for name, own in texts.items()}
    lines = [" ".join(name.rjust(widths[name]) for name in texts)]
    for row in range(len(answer.table)):
        lines.append(" ".join(own[row].rjust(widths[name]) for name, own in texts.items()))
    return "\n".join([*lines, *_remark(answer)])


def _remark(answer: Answer) -> list[str]:
    return ["", answer.question.remark] if answer.question.remark else []


def markdown(answer: Answer) -> str:
    """The table as Markdown, marks of its own escaped."""
    texts = cells(answer)
    rule = ["---:" if is_number(answer, name) else "---" for name in texts]
    lines = [[name.translate(MARKDOWN) for name in texts], rule]
    lines += [[own[row].translate(MARKDOWN) for own in texts.values()] for row in range(len(answer.table))]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), *_remark(answer)])


def latex(answer: Answer) -> str:
    """The table as a LaTeX tabular with booktabs' rules, special characters escaped."""
    texts = cells(answer)
    columns = "".join("r" if is_number(answer, name) else "l" for name in texts)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _latex_row(list(texts)), r"\midrule"]
    lines += [_latex_row([own[row] for own in texts.values()]) for row in range(len(answer.table))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _latex_row(texts: list[str]) -> str:
    return " & ".join("".join(LATEX.get(mark, mark) for mark in text) for text in texts) + r" \\"
