"""`from_bambi`: a `Fit` of a Bambi model that somebody else wrote and sampled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hiermod.errors import ModelError, SamplingError, StorageError
from hiermod.interface.fit import Fit, Model
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined
from hiermod.sampling.external_draws import posterior_from_draws
from hiermod.sampling.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

CENTRED = (
    "the draws do not say that Bambi made them: their Intercept is taken to stand where predictors are 0, as bambi's "
    "fit gives it, not at their means, where a centred model samples it"
)


def from_bambi(bmb_model: Any, idata: Any) -> Fit:
    """A `Fit` of an existing Bambi model and its draws, so that every answer works on it.

    Parameters
    ----------
    bmb_model : bambi.Model
        A model of the mean alone, with common and varying terms and Gaussian processes ``hsgp(x, m=20, c=1.5)``, of a
        family that hiermod has, or of ``wald``, ``laplace``, ``asymmetriclaplace`` or ``vonmises``. Bambi's group terms
        are uncorrelated: ``(1 + x | g)`` is shown as ``(1 + x || g)``.
    idata : xarray.DataTree or xarray.Dataset
        What ``bmb_model.fit()`` gave; coefficients on the link scale, ``Intercept`` where predictors are 0.

    Returns
    -------
    Fit
        Its priors are Bambi's (`Fit.prior_summary` shows them), so that it can neither be updated nor stored: refit
        with Bambi, and store its draws.

    Raises
    ------
    ModelError
        If a term, prior, response or family has no counterpart; or if rows, columns or groups differ from those that
        hiermod makes of the same formula, each of which is compared.
    SamplingError
        If the draws are not those of a posterior with dims ``chain, draw``.

    Examples
    --------
    >>> import hiermod as hm
    >>> model = hm.model("successes/trials ~ (1 | variant)", hm.example("variants")).bambi()  # or bambi.Model(...)
    >>> theirs = hm.from_bambi(model, fit_of_variants.idata)  # or model.fit()
    >>> theirs.best("variant")["prob_best"].idxmax()
    'D'
    """
    import xarray as xr

    from hiermod.modeling.bambi.importing import take, variables

    model = take(bmb_model)
    tree = isinstance(idata, xr.DataTree) and "posterior" in idata.children
    posterior = idata["posterior"].to_dataset() if tree else idata
    if not isinstance(posterior, xr.Dataset) or not {"chain", "draw"} <= set(posterior.dims):
        raise SamplingError(
            "The draws must be what bambi's fit gives: a DataTree with a posterior, or its Dataset with dims chain and "
            f"draw, not {type(idata).__name__}."
        )
    groups = {"posterior": variables(bmb_model, model, posterior)}
    if tree and "sample_stats" in idata.children:
        groups["sample_stats"] = idata["sample_stats"].to_dataset()
    uncertain = bmb_model.center_predictors and posterior.attrs.get("modeling_interface") != "bambi"
    notices = (
        (CENTRED,) if uncertain and "Intercept" in groups["posterior"] and len(model.spec.common.blocks) > 1 else ()
    )
    defined = replace(model.defined, notices=(*model.defined.notices, *notices))
    announce(defined.notices)
    sampled = posterior_from_draws(defined.spec, xr.DataTree.from_dict(groups))
    return BambiFit(BambiModel(defined, bmb_model), sampled)


def _refuse(what: str) -> NoReturn:
    raise ModelError(
        f"{what} is not done for a model from Bambi, whose priors are its own. Refit with bambi and call from_bambi "
        "again, or hiermod.fit(formula, data) for hiermod's model."
    )


class BambiModel(Model):
    """Somebody's Bambi model; its priors are Bambi's."""

    def __init__(self, defined: Defined, bambi_model: Any) -> None:
        super().__init__(defined)
        self._bambi = bambi_model

    def sampled(self, settings: Settings, progress: bool) -> Fit:
        """Refused: the priors are not known here."""
        _refuse("Sampling")

    def explain(self) -> Any:
        """Refused: the priors are not known here."""
        _refuse("An explanation")

    def prior_summary(self) -> pd.DataFrame:
        """Bambi's own priors."""
        from hiermod.modeling.bambi.importing import prior_table

        return prior_table(self._bambi, self._defined.spec)  # type: ignore[arg-type]

    def bambi(self) -> Any:
        """The model that was given."""
        return self._bambi

    def pymc(self) -> Any:
        """The PyMC model behind it."""
        if not self._bambi.built:
            self._bambi.build()
        return self._bambi.backend.model


class BambiFit(Fit):
    """A fit whose model is somebody's Bambi model."""

    def update(self, formula: str | None = None, data: Any = None, **changes: Any) -> Fit:
        """Refused: the priors are not known here."""
        _refuse("update()")

    def save(self, path: str | Path) -> None:
        """Refused: a stored fit would lack the priors."""
        raise StorageError(
            "A fit from Bambi is not stored here, since its priors are Bambi's. Store its draws (idata.to_netcdf) and "
            "the data, and call from_bambi again."
        )
