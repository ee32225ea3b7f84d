"""What an expected response measures: its name, whether it is a share, its link."""

from __future__ import annotations

from dataclasses import dataclass

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
