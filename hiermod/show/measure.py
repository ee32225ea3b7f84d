"""Formats of numbers on an axis."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, FuncFormatter


def format_percent(axis: Axis) -> None:
    """Ticks as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100.0 * value, 6):g}%"))


def format_signed_percent(axis: Axis, symbol: str = "%") -> None:
    """Ticks as changes: ``+20%``; without a symbol, percentage points."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: signed_percent(value, symbol)))


def signed_percent(value: float, symbol: str = "%") -> str:
    """A change as ``+20%``; none as ``0%``."""
    rounded = round(100.0 * value, 6)
    return Formatter.fix_minus(f"{rounded:+g}{symbol}" if rounded else f"0{symbol}")


def probability_text(probability: float) -> str:
    """A probability with one decimal; draws that agree are no certainty."""
    if probability >= 0.9995:
        return ">99.9%"
    return "<0.1%" if probability < 0.0005 else f"{probability:.1%}"
