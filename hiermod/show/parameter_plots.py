"""Pictures of parameters: traces, prior against posterior, and what a prior implies for responses."""

from __future__ import annotations

from typing import Any

import arviz_stats as azs
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hiermod.answers.checks.implied import Implied
from hiermod.answers.parameters.hypotheses import chief_draws, named_draws
from hiermod.errors import AnswerError
from hiermod.sampling.diagnostics import MAX_RHAT, MIN_ESS
from hiermod.sampling.posterior import Posterior
from hiermod.show.style import (
    COLOURS,
    GREY,
    axes_for,
    format_percent,
    format_signed_percent,
    inches,
    ink,
    literal,
    one,
    set_heading,
    shorten,
)

MAX_PARAMETERS = 40
MAX_LEGEND = 8
LINES = ("-", "--", "-.", ":")


def plot_trace(posterior: Posterior, names: Any = None) -> np.ndarray:
    """Draw densities and traces of each chain.

    Parameters
    ----------
    posterior : Posterior
    names : str or list of str, optional
        Parameters; otherwise common coefficients, sds, correlations and sigma. Of more than 40, those with the largest
        R-hat are shown.

    Returns
    -------
    numpy.ndarray of matplotlib Axes, shape ``(parameters, 2)``
    """
    import matplotlib.pyplot as plt

    draws = chief_draws(posterior) if names is None else named_draws(posterior, names)
    shown = _shown(draws)
    size = inches(9.0), 0.7 + 1.35 * len(shown)
    fig, axes = plt.subplots(len(shown), 2, figsize=size, layout="constrained", squeeze=False)
    diverging = _diverging(posterior)
    for (left, right), name, title in zip(axes, shown, shorten(shown, 44), strict=True):
        _draw_densities(left, draws[name])
        _draw_traces(right, draws[name], diverging)
        left.set_title(literal(title), loc="left", fontsize="medium")
        _write_convergence(right, draws[name])
    for right in axes[:-1, 1]:
        right.tick_params(labelbottom=False)
    axes[-1, 1].set_xlabel("draw")
    axes[-1, 1].xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(shown) < len(draws):
        fig.suptitle(f"{len(shown)} of {len(draws):,} parameters, those with the largest R-hat")
    _add_legend(axes)
    return axes


def _shown(draws: dict[str, np.ndarray]) -> list[str]:
    """All names, or those with the largest R-hat; one that cannot be had comes first."""
    if len(draws) <= MAX_PARAMETERS:
        return list(draws)
    rhats = {name: np.nan_to_num(_rhat(values), nan=np.inf) for name, values in draws.items()}
    worst = set(sorted(rhats, key=lambda name: rhats[name], reverse=True)[:MAX_PARAMETERS])
    return [name for name in draws if name in worst]


def _rhat(values: np.ndarray) -> float:
    if np.ptp(values) == 0:
        return float("nan")
    with np.errstate(all="ignore"):
        return float(azs.rhat(values))


def _draw_densities(ax: Axes, values: np.ndarray) -> None:
    """A density per chain."""
    for chain, draws in enumerate(values):
        style: dict[str, Any] = {"color": _colour(chain), "linestyle": LINES[chain % len(LINES)], "linewidth": 1.2}
        draw_density(ax, draws, **style)
    ax.set_ylim(bottom=0.0)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)


def draw_density(ax: Axes, draws: np.ndarray, share: float = 1.0, **style: Any) -> None:
    """Draw a density whose area is `share`; draws that are all equal are a vertical line."""
    if len(draws) and np.ptp(draws) > 0:
        grid, density = azs.kde(draws)[:2]
        ax.plot(grid, share * density, **style)
    elif len(draws):
        ax.axvline(draws[0], **style)


def _draw_traces(ax: Axes, values: np.ndarray, diverging: np.ndarray) -> None:
    for chain, draws in enumerate(values):
        ax.plot(draws, color=_colour(chain), linewidth=0.5, alpha=0.75, rasterized=True)
    where = np.flatnonzero(diverging.any(axis=0))
    if len(where):
        ax.plot(where, np.zeros(len(where)), "|", color=ink(), markersize=8, transform=ax.get_xaxis_transform())
    ax.margins(x=0.0)
    ax.spines[["top", "right"]].set_visible(False)


def _write_convergence(ax: Axes, values: np.ndarray) -> None:
    rhat, bulk, tail = _rhat(values), float("nan"), float("nan")
    if np.isfinite(values).all() and np.ptp(values) > 0:
        bulk = float(azs.ess(values, method="bulk"))
        tail = float(azs.ess(values, method="tail", prob=(0.05, 0.95)))
    bad = rhat > MAX_RHAT or bulk < MIN_ESS or tail < MIN_ESS
    text = f"R-hat {_figure(rhat, '.3f')}, ESS {_figure(bulk, ',.0f')} (tail {_figure(tail, ',.0f')})"
    title = ax.set_title(text, loc="left", fontsize="medium")
    if bad:
        title.set(color=COLOURS[1], fontweight="bold")


def _figure(value: float, spec: str) -> str:
    return format(value, spec) if np.isfinite(value) else "unknown"


def _diverging(posterior: Posterior) -> np.ndarray:
    stats = posterior.tree["sample_stats"].to_dataset()
    if "diverging" not in stats:
        return np.zeros(posterior.shape, dtype=bool)
    return stats["diverging"].transpose("chain", "draw").to_numpy().astype(bool)


def _colour(chain: int) -> str:
    return COLOURS[chain % len(COLOURS)]


def _add_legend(axes: np.ndarray) -> None:
    chains = axes[0, 0].lines
    if 1 < len(chains) <= MAX_LEGEND:
        labels = [f"chain {number}" for number in range(1, len(chains) + 1)]
        figure = axes[0, 0].get_figure()
        figure.legend(chains, labels, loc="outside lower left", ncols=len(chains), frameon=False, fontsize="small")


BINS = 40
TAIL = 0.005  # of draws on each side that are not shown, where they may reach far


def plot_implied(implied: Implied, effects: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the expected response of a row, or with `effects` the differences between levels.

    Bars are densities; at their foot, the central 50 and 95 % of the draws are lines, with a point at the median.

    Parameters
    ----------
    implied : Implied
    effects : bool
        Whether differences are drawn.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib Axes
    """
    percent, name = implied.measure.percent, implied.measure.name
    labels = list(implied.draws)
    shown = labels[implied.responses :] if effects else labels[: implied.responses]
    ax = axes_for(ax, 8 + len(shown), [name])
    bins = _edges(np.concatenate([implied.draws[label] for label in shown]), percent and not effects)
    handles = []
    for place, label in enumerate(shown):
        colour = COLOURS[place % len(COLOURS)]
        style: dict[str, Any] = {"alpha": 0.35} if len(shown) == 1 else {"histtype": "step", "linewidth": 1.4}
        weights = np.full(len(implied.draws[label]), 1.0 / len(implied.draws[label]) / np.diff(bins)[0])
        shapes: Any = ax.hist(implied.draws[label], bins.tolist(), weights=weights, color=colour, **style)[2]
        handles.append(shapes[0])
        _quantiles(ax, implied, label, place, colour)
    if effects:
        ax.axvline(0.0, color=GREY, linestyle="--", linewidth=1.0)
    ax.set_xlim(bins[0], bins[-1])
    ax.set_xlabel(
        literal(f"difference in {name}" + (", percentage points" if percent else "")) if effects else literal(name)
    )
    if percent:
        format_signed_percent(ax.xaxis, "") if effects else format_percent(ax.xaxis)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    labels = [one(label) for label in shown] if len(shown) > 1 else []
    what = "an effect" if effects else f"the {literal(name)} of a row"
    set_heading(ax, f"What the priors say about {what}", handles if labels else (), labels)
    return ax


def _edges(values: np.ndarray, unit: bool) -> np.ndarray:
    if unit:
        return np.linspace(0.0, 1.0, BINS + 1)
    low, high = np.quantile(values[np.isfinite(values)], [TAIL, 1.0 - TAIL])
    return np.linspace(low, high, BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, BINS + 1)


def _quantiles(ax: Axes, implied: Implied, label: str, place: int, colour: str) -> None:
    """Thin and thick lines above the axis, in their own row."""
    row, y = implied.table.loc[label], 0.03 + 0.05 * place
    where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "color": colour, "solid_capstyle": "butt"}
    for low, high, width in (("q2.5", "q97.5", 1.4), ("q25", "q75", 3.6)):
        ax.plot([row[low], row[high]], [y, y], linewidth=width, **where)
    ax.plot([row["q50"]], [y], marker="o", markersize=5, linestyle="none", **where)


PRIOR_DRAWS = 4000
PRIOR_TAIL = 0.01  # of the prior that is not shown on each side; its tails may reach far
COLUMNS = 3


def plot_prior_posterior(prior: Posterior, posterior: Posterior, names: object = None) -> np.ndarray:
    """Draw both densities of each parameter; the prior's within its central 98 %, and where the posterior is.

    Returns
    -------
    numpy.ndarray of matplotlib Axes, one for each parameter
    """
    import matplotlib.pyplot as plt

    after = chief_draws(posterior) if names is None else named_draws(posterior, names)
    before = chief_draws(prior) if names is None else named_draws(prior, names)
    shown = list(after)[:MAX_PARAMETERS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    fig, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns, 0.6 + 1.8 * rows), layout="constrained", squeeze=False
    )
    for ax, name, title in zip(axes.flat, shown, shorten(shown, 36), strict=False):
        _draw(ax, before[name].ravel(), after[name].ravel())
        ax.set_title(literal(title), loc="left", fontsize="medium")
    for ax in axes.flat[len(shown) :]:
        ax.remove()
    if len(shown) < len(after):
        fig.suptitle(f"the first {len(shown)} of {len(after):,} parameters")
    used = axes.flat[: len(shown)]
    fig.legend(used[0].lines[:2], ["prior", "posterior"], loc="outside lower left", ncols=2, frameon=False)
    return np.asarray(used)


def _draw(ax: Axes, before: np.ndarray, after: np.ndarray) -> None:
    low, high = np.quantile(before, [PRIOR_TAIL, 1.0 - PRIOR_TAIL])
    low, high = min(low, after.min()), max(high, after.max())
    inside = before[(before >= low) & (before <= high)]
    for values, colour, share in ((inside, GREY, len(inside) / len(before)), (after, COLOURS[0], 1.0)):
        draw_density(ax, values, share, color=colour, linewidth=1.4)
    ax.set_xlim(low, high)
    ax.set_ylim(bottom=0.0)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)


MAX_PAIRS = 6  # parameters of a matrix of pairs
DOTS = 1000


def plot_pairs(posterior: Posterior, names: Any = None) -> np.ndarray:
    """Draw every pair of parameters as dots, divergent draws in orange on top, and their densities on the diagonal.

    Returns
    -------
    numpy.ndarray of matplotlib Axes, square

    Raises
    ------
    AnswerError
        If more than six parameters are named.
    """
    import matplotlib.pyplot as plt

    draws = chief_draws(posterior) if names is None else named_draws(posterior, names)
    if names is not None and len(draws) > MAX_PAIRS:
        raise AnswerError(f"pairs of {len(draws)} parameters: {MAX_PAIRS} at most can be read. Name fewer.")
    shown = _shown(draws)[:MAX_PAIRS]
    count, titles = len(shown), [literal(text) for text in shorten(shown, 26)]
    side = 1.0 + 1.55 * count
    figure, axes = plt.subplots(count, count, figsize=(side, side), layout="constrained", squeeze=False, sharex="col")
    diverging = _diverging(posterior).ravel()
    flat = [draws[name].ravel() for name in shown]
    some = np.linspace(0, len(flat[0]) - 1, min(DOTS, len(flat[0]))).astype(int)
    for row in range(count):
        for column in range(count):
            ax = axes[row, column]
            if column > row:
                ax.set_visible(False)
            elif row == column:
                draw_density(ax, flat[row], color=COLOURS[0], linewidth=1.4)
                ax.set_yticks([])
                ax.spines[["top", "right", "left"]].set_visible(False)
            else:
                _draw_pair(ax, flat[column], flat[row], some, diverging)
                if column:
                    ax.sharey(axes[row, 0])
                    ax.tick_params(labelleft=False)
            ax.tick_params(labelsize="small", labelbottom=row == count - 1)
        axes[row, 0].set_ylabel(titles[row])
        axes[-1, row].set_xlabel(titles[row])
    left = f", the first {count} of {len(draws):,} parameters" if count < len(draws) else ""
    troubled = f", {int(diverging.sum()):,} divergent draws in orange" if diverging.any() else ""
    figure.suptitle(f"Pairs of parameters{left}{troubled}", x=0.01, ha="left", fontsize="medium")
    return axes


def _draw_pair(ax: Axes, x: np.ndarray, y: np.ndarray, some: np.ndarray, diverging: np.ndarray) -> None:
    dot: dict[str, Any] = {"linestyle": "none", "marker": ".", "rasterized": True}
    ax.plot(x[some], y[some], color=COLOURS[0], markersize=2.5, alpha=0.35, **dot)
    if diverging.any():
        ax.plot(x[diverging], y[diverging], color=COLOURS[1], markersize=5.0, **dot)
    ax.spines[["top", "right"]].set_visible(False)
