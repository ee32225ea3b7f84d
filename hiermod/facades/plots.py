"""`fit.plot`: the plots of a fit, as matplotlib Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.facades.fit import Fit


class FitPlots:
    """Plots of a fit. Each takes ``ax=`` to draw into and returns the matplotlib Axes."""

    def __init__(self, fit: Fit, posterior: Posterior) -> None:
        self._fit, self._posterior = fit, posterior

    def rates(self, by: Any = None, *, ax: Any = None, **options: Any) -> Any:
        """A forest of rates per cell of `by` with intervals; without `by`, every variable of the model with few levels.

        Further options are those of `Fit.rates`.
        """
        from hiermod.show.plots import plot_answer
        from hiermod.show.plots import default_by

        return plot_answer(self._fit.rates(default_by(self._posterior.spec) if by is None else by, **options), ax=ax)

    def effect(self, variable: str, *, ax: Any = None, **options: Any) -> Any:
        """A forest of effects with intervals and a line at no effect. Options are those of `Fit.effect`."""
        from hiermod.show.plots import plot_answer

        return plot_answer(self._fit.effect(variable, **options), ax=ax)

    def shrinkage(self, group: str | None = None, *, ax: Any = None) -> Any:
        """Raw and pooled rates of each level, the grand rate as a dashed line, size showing n."""
        from hiermod.show.plots import plot_shrinkage

        return plot_shrinkage(self._posterior, self._fit.shrinkage(group), ax=ax)

    def trace(self, names: Any = None) -> Any:
        """Densities and traces of each chain for the chief parameters, R-hat in the titles; an array of Axes."""
        from hiermod.show.plots import plot_trace

        return plot_trace(self._posterior, names)
