"""What a number measures: its name and its format on an axis."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, FuncFormatter

from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec


@dataclass(frozen=True)
class Measure:
    """The expected response of a model: what it is called, whether it is a share, and its link."""

    name: str
    percent: bool
    link: str

    @property
    def word(self) -> str:
        """``rate`` or ``mean``."""
        return "rate" if self.percent else "mean"

    def text(self, value: float) -> str:
        """A value in words."""
        return f"{value:.1%}" if self.percent else f"{value:.4g}"


UNKNOWN = Measure("expected response", percent=False, link="link")


def measure_of(spec: Spec | BetaSpec) -> Measure:
    """A success rate, or the mean of the response."""
    if spec.family.statistic == "trials":
        return Measure("success rate", percent=True, link=spec.family.link.name)
    return Measure(f"mean {spec.formula.response.name}", percent=False, link=spec.family.link.name)


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
    if probability > 0.9995:
        return ">99.9%"
    return "<0.1%" if probability < 0.0005 else f"{probability:.1%}"
