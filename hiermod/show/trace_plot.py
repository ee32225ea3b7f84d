"""Traces: the density and the path of each chain, with R-hat and effective sample sizes."""

from __future__ import annotations

from typing import Any

import arviz_stats as azs
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hiermod.answers.parameters.names import chief_draws, named_draws
from hiermod.sampling.diagnostics import MAX_RHAT, MIN_ESS
from hiermod.sampling.posterior import Posterior
from hiermod.show.style import COLOURS, ink, literal, shorten

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
    fig, axes = plt.subplots(len(shown), 2, figsize=(9.0, 0.7 + 1.35 * len(shown)), layout="constrained", squeeze=False)
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
