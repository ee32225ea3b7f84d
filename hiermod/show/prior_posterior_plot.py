"""Prior and posterior densities of single parameters."""

from __future__ import annotations

import arviz_stats as azs
import numpy as np
from matplotlib.axes import Axes

from hiermod.answers.parameters import chief_draws, named_draws
from hiermod.sampling.posterior import Posterior
from hiermod.show.style import COLOURS, GREY, literal, shorten
from hiermod.show.trace_plot import MAX_PARAMETERS

PRIOR_DRAWS = 4000
TAIL = 0.01  # of the prior that is not shown on each side; its tails may reach far
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
    low, high = np.quantile(before, [TAIL, 1.0 - TAIL])
    low, high = min(low, after.min()), max(high, after.max())
    inside = before[(before >= low) & (before <= high)]
    for values, colour, share in ((inside, GREY, len(inside) / len(before)), (after, COLOURS[0], 1.0)):
        if len(values) < 2 or np.ptp(values) == 0:
            ax.axvline(values[0], color=colour)
            continue
        grid, density = azs.kde(values)[:2]
        ax.plot(grid, share * density, color=colour, linewidth=1.4)
    ax.set_xlim(low, high)
    ax.set_ylim(bottom=0.0)
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
