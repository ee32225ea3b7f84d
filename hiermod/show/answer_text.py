"""An answer's table as text: plain, Markdown, LaTeX, and HTML with a small picture of each row's posterior."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hiermod.answers.answer import COMPUTED, decimals
from hiermod.data.columns.values import level_text
from hiermod.errors import visible
from hiermod.terminal import lines_of, width
from hiermod.text_table import Column, TextTable

if TYPE_CHECKING:
    from hiermod.answers.answer import Answer

RATIO = "evidence_ratio"  # its error is that of the probability behind it
ESTIMABLE, NOT_ESTIMABLE = "estimable", "non-est"  # as emmeans has it, nonEst
LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
         "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
         "|": r"\textbar{}"}  # fmt: skip
MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\|*_`[]<>$"})


def cells(answer: Answer) -> dict[str, list[str]]:
    """The text of every cell by column."""
    table, known = answer.table, decimals(answer)
    texts = {visible(str(name)): _column(table[name], known.get(str(name))) for name in table.columns}
    if ESTIMABLE in table:
        for row in np.flatnonzero(~table[ESTIMABLE].to_numpy(dtype=bool)):
            for name in texts.keys() & set(COMPUTED):
                texts[name][row] = NOT_ESTIMABLE
    return texts


def _column(values: pd.Series, places: int | None) -> list[str]:
    if not pd.api.types.is_float_dtype(values.dtype):
        return [visible(level_text(value)) for value in values]
    if places is not None:
        none = "none" if values.name == "sd" else "nan"
        return [none if np.isnan(value) else _rounded(value, places) for value in values.tolist()]
    if values.name == RATIO:
        return [f"{value:.3g}" for value in values]
    sizes = values[values != 0].abs()
    computed = values.name in (*COMPUTED, "sd") or str(values.name).startswith("prob")
    fixed = computed and (sizes.empty or (sizes.max() >= 1e-3 and sizes.max() < 1e6))
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
    texts, rows, room = cells(answer), list(shown_rows(len(answer.table))), width()
    columns = [
        Column(name, [column[row] for row in rows if row is not None], "number" if name in made_of(answer) else "key")
        for name, column in texts.items()
    ]
    breaks = {rows.index(None): _left_out(len(answer.table))} if None in rows else {}
    return "\n".join([TextTable(columns, 1, breaks).text(room), *(lines_of(line, room) for line in _remark(answer))])


def made_of(answer: Answer) -> set[str]:
    """The columns of figures, all but those that say what a row is of."""
    names = [visible(str(name)) for name in answer.table.columns]
    return set(names[names.index("estimate") :]) if "estimate" in names else set()


LONG, FIRST, LAST = 60, 30, 10  # rows of a table that is shortened where it is shown, and of its two parts


def shown_rows(count: int) -> Iterator[int | None]:
    """The rows that are shown, and None in place of those that are not; `table` has all of them."""
    if count <= LONG:
        yield from range(count)
        return
    yield from range(FIRST)
    yield None
    yield from range(count - LAST, count)


def _left_out(count: int) -> str:
    return f"… {count - FIRST - LAST:,} more rows of {count:,}: answer.table has all …"


def _remark(answer: Answer) -> list[str]:
    return ["", visible(answer.question.remark)] if answer.question.remark else []


def markdown(answer: Answer) -> str:
    """The table as Markdown, marks of its own escaped."""
    texts = cells(answer)
    rule = ["---:" if is_number(answer, name) else "---" for name in texts]
    lines = [[name.translate(MARKDOWN) for name in texts], rule]
    lines += [[column[row].translate(MARKDOWN) for column in texts.values()] for row in range(len(answer.table))]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), *_remark(answer)])


def latex(answer: Answer) -> str:
    """The table as a LaTeX tabular with booktabs' rules, special characters escaped."""
    texts = cells(answer)
    columns = "".join("r" if is_number(answer, name) else "l" for name in texts)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _latex_row(list(texts)), r"\midrule"]
    lines += [_latex_row([column[row] for column in texts.values()]) for row in range(len(answer.table))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _latex_row(texts: list[str]) -> str:
    return " & ".join("".join(LATEX.get(mark, mark) for mark in text) for text in texts) + r" \\"


MAX_PICTURES = 200  # rows with a picture; more make a notebook heavy
BINS, WIDTH, HEIGHT = 48, 120, 22
TAIL = 0.002  # of the draws at either side may lie outside of the pictures
LARGE = 1e150
CELL = "padding:2px 8px;white-space:nowrap;"


def html(answer: Answer) -> str:
    """The table with sparklines, one scale for all rows; the interval is darker."""
    texts, rows = cells(answer), len(answer.table)
    pictures = sparklines(answer) if 0 < rows <= MAX_PICTURES else []
    heads = [*texts, *(["posterior"] if pictures else [])]
    head = "".join(f'<th style="{CELL}text-align:{_side(answer, name)}">{escape(name)}</th>' for name in heads)
    lines = []
    for row in shown_rows(rows):
        if row is None:
            lines.append(f'<tr><td colspan="{len(heads)}" style="{CELL}">{_left_out(rows)}</td></tr>')
            continue
        line = "".join(
            f'<td style="{CELL}text-align:{_side(answer, name)}">{escape(column[row])}</td>'
            for name, column in texts.items()
        )
        picture = f'<td style="{CELL}">{pictures[row]}</td>' if pictures else ""
        lines.append(f"<tr>{line}{picture}</tr>")
    remark = f"<p>{escape(visible(answer.question.remark))}</p>" if answer.question.remark else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<table style="border-collapse:collapse">{body}</table>{remark}'


def _side(answer: Answer, name: str) -> str:
    return "right" if is_number(answer, name) else "left"


def sparklines(answer: Answer) -> list[str]:
    """A density of each row's draws as inline SVG; none where the draws do not differ, or are too few."""
    draws = answer.draws.transpose("row", "chain", "draw").values
    flat = np.asarray(draws.reshape(len(draws), -1), dtype=float)
    known = ~np.isnan(flat).any(axis=1)
    if flat.shape[1] < BINS or not known.any() or not np.isfinite(flat[known]).all():
        return []
    unit = max(float(np.abs(flat[known]).max()) / LARGE, 1.0)  # so that differences of the largest numbers do not end
    flat = flat / unit
    ends = np.quantile(flat[known], [TAIL, 1.0 - TAIL], axis=1)
    low, high = float(ends[0].min()), float(ends[1].max())
    if not (np.diff(np.linspace(low, high, BINS + 1)) > 0.0).all():  # numbers are not dense enough for bins
        return []
    null = answer.question.scale.null
    null = None if null is None else null / unit
    bounds = answer.table[["lower", "upper"]].to_numpy(dtype=float) / unit
    return [
        _svg(row, low, high, ends, null) if there else "" for row, ends, there in zip(flat, bounds, known, strict=True)
    ]


def _svg(draws: np.ndarray, low: float, high: float, bounds: np.ndarray, null: float | None) -> str:
    counts, edges = np.histogram(draws.clip(low, high), BINS, (low, high))
    heights = np.convolve(np.pad(counts, 2, mode="edge"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
    heights = heights / max(float(heights.max()), 1.0)
    middles = 0.5 * (edges[1:] + edges[:-1])
    parts = [_area(middles, heights, low, high, "#bcd0e5")]
    inside = (middles >= bounds[0]) & (middles <= bounds[1])
    if inside.sum() > 1:
        parts.append(_area(middles[inside], heights[inside], low, high, "#3b6ea5"))
    if null is not None and low < null < high:
        x = _place(null, low, high)
        parts.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT}" stroke="#555" stroke-dasharray="2,2"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="posterior">{"".join(parts)}</svg>'
    )


def _place(value: float, low: float, high: float) -> float:
    return WIDTH * (value - low) / (high - low)


def _area(middles: np.ndarray, heights: np.ndarray, low: float, high: float, colour: str) -> str:
    xs = [_place(middle, low, high) for middle in middles.tolist()]
    top = " ".join(f"{x:.1f},{HEIGHT - (HEIGHT - 2) * height:.1f}" for x, height in zip(xs, heights, strict=True))
    return f'<polygon points="{xs[0]:.1f},{HEIGHT} {top} {xs[-1]:.1f},{HEIGHT}" fill="{colour}"/>'
