"""`Fit`: a sampled model and the questions that can be asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.interface.comparison import Comparison
from hiermod.interface.contrasts import Contrasts
from hiermod.interface.decisions import Decisions
from hiermod.interface.estimates import Estimates
from hiermod.interface.model_checks import ModelChecks
from hiermod.interface.plots import FitPlots
from hiermod.interface.predictive import Predictive
from hiermod.interface.questions import Questions
from hiermod.interface.r_names import RNames
from hiermod.interface.refits import Refits
from hiermod.modeling.definition import Defined
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.storage import StoredFit, save

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from hiermod.interface.model import Model


class Fit(Estimates, Questions, Contrasts, Decisions, Comparison, Refits, RNames, Predictive, ModelChecks):
    """A posterior with its model. Made by `hiermod.fit`, `hiermod.load` and `Model.fit`.

    In every method, ``by`` is a column, a list of columns, or a dict of columns with their values; ``data`` another
    frame of rows to average over instead of the fitted data, with ``weights`` naming its column of weights; ``at``
    predictors with the value at which every row stands; and ``groups`` says whose rate is meant: ``"observed"`` takes
    each row's own group, ``"typical"`` effects at zero, ``"new"`` one unseen group (or each one that `data` names and
    the fit does not know), and ``"population"`` the mean over the population of groups.

    Examples
    --------
    >>> fit
    <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 4 x 1000 draws>
    """

    def __init__(self, defined: Defined, posterior: Posterior, model: Model) -> None:
        self._defined, self._posterior, self.model = defined, posterior, model

    def __repr__(self) -> str:
        chains, draws = self._posterior.shape
        return f"<hiermod.Fit {self.model.formula}, family {self.model.family}, {chains} x {draws} draws>"

    @property
    def posterior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``; coefficients in the user's coding, on the link scale."""
        return self._posterior.dataset

    @property
    def idata(self) -> xr.DataTree:
        """The draws and the sampler's statistics, as ArviZ takes them."""
        return self._posterior.tree

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table that the model saw."""
        return self.model.cells

    @property
    def notices(self) -> list[str]:
        """What was inferred from the data, and what happened in sampling."""
        return [*self._defined.notices, *self._posterior.notices]

    @property
    def plot(self) -> FitPlots:
        """Plots: ``fit.plot.rates()``, ``.effect()``, ``.shrinkage()``, ``.trace()``, ``.ppc()``."""
        return FitPlots(self, self._posterior)

    @property
    def data(self) -> Any:
        """The frame or path that was fitted, as it was given; None of a fit that was stored."""
        return self._defined.data

    @property
    def sampled_posterior(self) -> Posterior:
        """The draws with their model, as hiermod's own functions take them."""
        return self._posterior

    def save(self, path: str | Path) -> None:
        """Write the fit to a NetCDF file, from which `hiermod.load` gives the same answers to the last bit.

        Examples
        --------
        >>> fit.save(folder / "country.nc")
        """
        save(StoredFit(self._defined, self._posterior), path)
