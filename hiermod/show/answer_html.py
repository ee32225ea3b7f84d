"""An answer in a notebook: its table with a small picture of each row's posterior, as HTML that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hiermod.show.answer_text import cells, is_number

if TYPE_CHECKING:
    from hiermod.answers.answer import Answer

MAX_PICTURES = 200  # rows with a picture; more make a notebook heavy
BINS, WIDTH, HEIGHT = 48, 120, 22
TAIL = 0.002  # of the draws at either side may lie outside of the pictures
CELL = "padding:2px 8px;white-space:nowrap;"


def html(answer: Answer) -> str:
    """The table with sparklines, one scale for all rows; the interval is darker."""
    texts, rows = cells(answer), len(answer.table)
    pictures = sparklines(answer) if 0 < rows <= MAX_PICTURES else []
    heads = [*texts, *(["posterior"] if pictures else [])]
    head = "".join(f'<th style="{CELL}text-align:{_side(answer, name)}">{escape(name)}</th>' for name in heads)
    lines = []
    for row in range(rows):
        line = "".join(
            f'<td style="{CELL}text-align:{_side(answer, name)}">{escape(own[row])}</td>' for name, own in texts.items()
        )
        picture = f'<td style="{CELL}">{pictures[row]}</td>' if pictures else ""
        lines.append(f"<tr>{line}{picture}</tr>")
    remark = f"<p>{escape(answer.question.remark)}</p>" if answer.question.remark else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<table style="border-collapse:collapse">{body}</table>{remark}'


def _side(answer: Answer, name: str) -> str:
    return "right" if is_number(answer, name) else "left"


def sparklines(answer: Answer) -> list[str]:
    """A density of each row's draws as inline SVG; none where the draws do not differ, or are too few."""
    draws = answer.draws.transpose("row", "chain", "draw").to_numpy()
    flat = np.asarray(draws.reshape(len(draws), -1), dtype=float)
    if flat.shape[1] < BINS or not np.isfinite(flat).all():
        return []
    ends = np.quantile(flat, [TAIL, 1.0 - TAIL], axis=1)
    low, high = float(ends[0].min()), float(ends[1].max())
    if not low < high:
        return []
    null = answer.question.scale.null
    bounds = answer.table[["lower", "upper"]].to_numpy(dtype=float)
    return [_svg(row, low, high, own, null) for row, own in zip(flat, bounds, strict=True)]


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
