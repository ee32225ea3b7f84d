"""The judgement on the ranks of one shape: Bonferroni over its quantities, so that one level holds for all together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from benchmarks.calibration.bands import excursion, p_value
from benchmarks.calibration.ranks import DRAWS
from benchmarks.calibration.store import ranks_of

LEVEL = 0.99
COLUMNS = {
    "shape": "shape", "replications": "replications", "quantities": "quantities", "worst": "worst quantity",
    "excursion": "its excursion", "p": "its p, adjusted", "outside": "outside", "divergent": "runs with divergences",
    "reruns": "runs repeated", "thinned": "ranks of fewer draws", "seconds": "median fit, s",
}  # fmt: skip


def level_of_each(quantities: int) -> float:
    """The level of each quantity's band that makes `LEVEL` of all of them."""
    return 1.0 - (1.0 - LEVEL) / quantities


@dataclass(frozen=True)
class Verdict:
    """How a shape fared.

    `excursion` is the greatest distance of an ECDF in half widths of its band, `p` the smallest p-value times the
    number of quantities; both are of the quantity `worst`. `outside` names the quantities that leave their bands.
    """

    shape: str
    replications: int
    quantities: int
    worst: str
    excursion: float
    p: float
    outside: tuple[str, ...]
    divergent: int
    reruns: int
    thinned: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every quantity stays inside its band."""
        return not self.outside


def judge(shape: str, frame: pd.DataFrame) -> Verdict:
    """Judge the replications of a shape, all of them."""
    ranks = ranks_of(frame)
    adjusted = {name: min(1.0, p_value(own, DRAWS) * len(ranks)) for name, own in ranks.items()}
    worst = min(adjusted, key=lambda name: adjusted[name])
    return Verdict(
        shape, len(frame), len(ranks), worst,
        excursion(ranks[worst], DRAWS, level_of_each(len(ranks))), adjusted[worst],
        tuple(name for name, p in adjusted.items() if p < 1.0 - LEVEL),
        int((frame["divergences"] > 0).sum()), int((frame["reruns"] > 0).sum()), int(frame["thinned"].sum()),
        float(frame["seconds"].median()),
    )  # fmt: skip


def table(verdicts: Iterable[Verdict]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(COLUMNS.values())} |", "|" + "---|" * len(COLUMNS)]
    for verdict in verdicts:
        cells = {**vars(verdict), "worst": f"`{verdict.worst.replace('|', '∣')}`", "outside": len(verdict.outside)}
        cells |= {name: f"{cells[name]:.2g}" for name in ("p", "seconds")} | {"excursion": f"{verdict.excursion:.2f}"}
        lines.append(f"| {' | '.join(str(cells[name]) for name in COLUMNS)} |")
    return "\n".join(lines)
