"""The same groups in several scenarios: their rates side by side, and what one of them is expected to show next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from hiermod.answers.answer import Measure, measure_of
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.averaging.rows import grand_rate
from hiermod.answers.estimands.rates import rates
from hiermod.answers.estimands.shrinkage import chosen_grouping, shrinkage
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.sampling.posterior import Posterior
from hiermod.show.style import COLOURS, GREY, format_percent, ink, literal, one, set_heading, shorten

MANY = 40  # levels
BARS = 40  # of a histogram
REPLICATES = 11  # the purpose of the random numbers of new data
WIDTH = 0.8  # of the boxes of a level together


@dataclass(frozen=True, eq=False)
class Shown:
    """A scenario: draws of each level's rate, its raw rate and n, and the grand rate."""

    draws: Mapping[str, np.ndarray]
    table: pd.DataFrame
    grand: float


def plot_scenarios(
    posteriors: Mapping[str, Posterior], group: str | None, level: Any, prob: float, axes: Any
) -> np.ndarray:
    """Draw box plots of all rates, and the posterior predictive histogram of one, in every scenario.

    Returns
    -------
    ndarray of matplotlib Axes, shape (2,)

    Raises
    ------
    AnswerError
        If a model has no rates of groups, levels are too many, or there is no such level.
    """
    shown = {name: _shown(name, posterior, group, prob) for name, posterior in posteriors.items()}
    levels = list(dict.fromkeys(own for scenario in shown.values() for own in scenario.draws))
    if len(levels) > MANY:
        raise AnswerError(
            f"There are {len(levels):,} groups, and boxes of at most {MANY} can be told apart. "
            "fit.plot.shrinkage() shows as many as there are."
        )
    first = next(iter(posteriors.values()))
    grouping, measure = chosen_grouping(first.spec, group).name, measure_of(first.spec)
    chosen = _chosen_level(shown, levels, level)
    boxes, histogram = _axes(axes, len(levels))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(shown)}
    _draw_boxes(boxes, shown, levels, colours, prob)
    boxes.set_xlabel(one(grouping))
    boxes.set_ylabel(literal(measure.name))
    handles = [Patch(facecolor=colour, alpha=0.5) for colour in colours.values()]
    names = [literal(name) for name in shorten(list(colours))]
    title = f"{literal(measure.name.capitalize())} by {one(grouping)}: boxes hold 50 %, whiskers {100 * prob:.4g} %"
    set_heading(boxes, title, handles, names)
    replicated = {
        name: _replicates(posteriors[name], own, chosen) for name, own in shown.items() if chosen in own.draws
    }
    _draw_histogram(histogram, shown, replicated, colours, measure)
    histogram.set_xlabel(literal(f"{measure.name} of new data"))
    heading = f"What {one(chosen)} is expected to show next; the grand rate dashed"
    set_heading(histogram, heading, handles, names, lines=1)
    if measure.percent:
        format_percent(boxes.yaxis)
        format_percent(histogram.xaxis)
    return np.array([boxes, histogram])


def _shown(name: str, posterior: Posterior, group: str | None, prob: float) -> Shown:
    spec = posterior.spec
    if spec.family.auxiliary or not (spec.family.is_rate or spec.family.rated == "mean"):
        raise AnswerError(
            "plot_scenarios() shows rates of successes or of events and binomial or Poisson data of them, and "
            f"{name!r} is of the family {spec.family}. fit.plot.rates() shows means of any family."
        )
    grouping = chosen_grouping(spec, group)
    answer = rates(posterior, Arguments(by=list(grouping.columns)))
    values = answer.draws.stack(sample=("chain", "draw")).transpose("row", "sample").to_numpy()
    labels = [level_text(own) for own in grouping.labels()]
    return Shown(dict(zip(labels, values, strict=True)), shrinkage(posterior, group, prob), grand_rate(spec))


def _chosen_level(shown: Mapping[str, Shown], levels: Sequence[str], level: Any) -> str:
    """The level that was asked for; otherwise the first whose data differ between scenarios."""
    if level is not None:
        if (text := level_text(level)) not in levels:
            raise AnswerError(f"There is no group {level!r}.{did_you_mean(text, levels)} {enumerate_names(levels)}.")
        return text
    for own in levels:
        data = {_data(scenario, own) for scenario in shown.values()}
        if len(data) > 1:
            return own
    return levels[0]


def _data(scenario: Shown, level: str) -> tuple[float, ...]:
    if level not in scenario.draws:
        return ()
    return tuple(scenario.table.iloc[list(scenario.draws).index(level)][["n", "raw"]].astype(float))


def _axes(axes: Any, levels: int) -> tuple[Axes, Axes]:
    if axes is not None:
        first, second = np.asarray(axes, dtype=object).ravel()
        return first, second
    import matplotlib.pyplot as plt

    _, (first, second) = plt.subplots(
        1, 2, figsize=(max(10.0, 6.0 + 0.5 * levels), 4.4), layout="constrained",
        width_ratios=[max(1.0, levels / 8.0), 1.0],
    )  # fmt: skip
    return first, second


def _draw_boxes(
    ax: Axes, shown: Mapping[str, Shown], levels: Sequence[str], colours: Mapping[str, str], prob: float
) -> None:
    each = WIDTH / len(shown)
    for place, (name, scenario) in enumerate(shown.items()):
        boxes, positions = [], []
        for column, level in enumerate(levels):
            if level in scenario.draws:
                boxes.append(_box(scenario.draws[level], prob))
                positions.append(column - WIDTH / 2.0 + (place + 0.5) * each)
        look = {"facecolor": colours[name], "alpha": 0.5, "edgecolor": colours[name]}
        line = {"color": colours[name]}
        ax.bxp(
            boxes, positions=positions, widths=0.85 * each, showfliers=False, patch_artist=True, boxprops=look,
            medianprops={"color": ink()}, whiskerprops=line, capprops=line, manage_ticks=False,
        )  # fmt: skip
    ax.set_xticks(range(len(levels)), [literal(text) for text in shorten(list(levels))])
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)


def _box(draws: np.ndarray, prob: float) -> dict[str, float]:
    tail = (1.0 - prob) / 2.0
    low, first, middle, third, high = np.quantile(draws, [tail, 0.25, 0.5, 0.75, 1.0 - tail]).tolist()
    return {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}


def _replicates(posterior: Posterior, scenario: Shown, level: str) -> tuple[np.ndarray, float]:
    """New rates of as many trials, or as much exposure, as the level has, and that number."""
    n = _data(scenario, level)[0]
    rng, draws = posterior.generator(REPLICATES, level), scenario.draws[level]
    drawn = rng.binomial(round(n), draws) if posterior.spec.family.is_rate else rng.poisson(n * draws)
    return drawn / n, n


def _draw_histogram(
    ax: Axes, shown: Mapping[str, Shown], replicated: Mapping[str, tuple[np.ndarray, float]],
    colours: Mapping[str, str], measure: Measure,
) -> None:  # fmt: skip
    """Bars about what can occur: k successes of n, several k in one bar where there are many."""
    for name, (values, n) in replicated.items():
        low, high = np.rint(values.min() * n) - 0.5, np.rint(values.max() * n) + 0.5
        step = max(1, int(np.ceil((high - low) / BARS)))
        edges = (np.arange(low, high + step, step) / n).tolist()
        ax.hist(values, bins=edges, density=True, color=colours[name], alpha=0.5)
    grands = {name: shown[name].grand for name in replicated}
    for place, (name, grand) in enumerate(grands.items()):
        ax.axvline(grand, color=colours[name], linestyle="--", linewidth=1.4)
        ax.annotate(
            f"grand {measure.word} {measure.text(grand)}", (grand, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 3), textcoords="offset points", fontsize="small", annotation_clip=False, color=colours[name],
            va="bottom", ha=("center" if len(grands) == 1 else "right" if place == _lowest(grands) else "left"),
        )  # fmt: skip
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)


def _lowest(grands: Mapping[str, float]) -> int:
    return int(np.argmin(list(grands.values())))
