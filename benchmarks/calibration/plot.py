"""Pictures of stored ranks: how far the ECDF of each quantity's ranks is from uniform, within its band."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmarks.calibration.bands import adjusted_gamma, band, counts_below
from benchmarks.calibration.ranks import DRAWS
from benchmarks.calibration.shapes import SHAPES, Shape
from benchmarks.calibration.store import ranks_of
from benchmarks.calibration.verdict import judge, level_of_each

KINDS = ("parameters", "effects of groups", "answers and log likelihood")
GREY, RED, BAND = "#5b6770", "#b3001b", "#cfe3ee"


def draw_shape(name: str, frame: pd.DataFrame, folder: Path) -> Path:
    """Draw one shape, a panel for each kind of quantity, and return where the picture is."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    ranks, verdict = ranks_of(frame), judge(name, frame)
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), sharex=True, sharey=True, layout="constrained")
    marked = {verdict.worst, *verdict.outside}
    for kind, panel in zip(KINDS, axes, strict=True):
        own = {quantity: each for quantity, each in ranks.items() if kind_of(SHAPES[name], quantity) == kind}
        _draw_panel(panel, own, marked, len(frame), level_of_each(len(ranks)))
        panel.set_title(f"{kind} ({len(own)})", fontsize=9)
    axes[0].set_ylabel("ECDF of ranks less uniform")
    figure.suptitle(f"{SHAPES[name].formula}   {SHAPES[name].family}, {len(frame)} replications", fontsize=10)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return path


def kind_of(shape: Shape, quantity: str) -> str:
    """Which panel a quantity belongs to."""
    variable = quantity.partition("[")[0]
    if variable in {name for bar in shape.model.bars for name in bar.effects}:
        return KINDS[1]
    return KINDS[2] if variable in {"log likelihood", *(question.name for question in shape.questions)} else KINDS[0]


def _draw_panel(panel: Axes, ranks: dict[str, np.ndarray], marked: set[str], replications: int, level: float) -> None:
    place = np.arange(1, DRAWS + 1) / (DRAWS + 1)
    least, greatest = band(adjusted_gamma(replications, DRAWS, level), replications, DRAWS)
    panel.fill_between(place, least / replications - place, greatest / replications - place, color=BAND, linewidth=0)
    for name in sorted(ranks, key=lambda own: own in marked):
        line = {"color": RED, "linewidth": 1.3, "label": name} if name in marked else {"color": GREY, "linewidth": 0.6}
        panel.plot(place, counts_below(ranks[name], DRAWS) / replications - place, **line)
    panel.axhline(0.0, color="black", linewidth=0.5)
    panel.set_xlabel("rank, as a share")
    if marked & set(ranks):
        panel.legend(fontsize=7, frameon=False, loc="upper right")
