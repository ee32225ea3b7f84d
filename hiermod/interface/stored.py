"""Fits in files: found again where they are of the same model, data and settings, with their scores beside them."""

from __future__ import annotations

from pathlib import Path

from hiermod.errors import StorageError
from hiermod.interface.fit import Fit, Model
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined
from hiermod.sampling.settings import Settings
from hiermod.sampling.storage import StoredFit, difference, forget_scores, keeping_scores, load, with_data


def fit_of(stored: StoredFit) -> Fit:
    """A stored fit as a user holds it."""
    return Fit(Model(stored.defined), stored.posterior)


def kept(path: Path, defined: Defined, settings: Settings) -> Fit | None:
    """The fit stored there, if it is of the same model, data and settings; its scores are kept beside it.

    Raises
    ------
    StorageError
        If there is a file of something else.
    """
    stored = _reusable(path, defined, settings)
    return None if stored is None else fit_of(keeping_scores(with_data(stored, defined), path))


def keep(fit: Fit, path: Path) -> Fit:
    """Store a fit, whose scores are kept beside it from now on; those of the fit that was there before are removed."""
    fit.save(path)
    forget_scores(path)
    return fit_of(keeping_scores(StoredFit(fit.model._defined, fit.sampled_posterior), path))


def _reusable(path: Path, defined: Defined, settings: Settings) -> StoredFit | None:
    if not path.exists():
        return None
    try:
        stored = load(path)
    except StorageError as error:
        raise StorageError(f"file={str(path)!r} would be overwritten, but holds no fit: {error}") from error
    changed = difference(stored, defined, settings)
    if changed is None and stored.posterior.interrupted:
        announce([f"fitted anew, since the fit stored in {path} was interrupted"])
        return None
    if changed is not None:
        announce([f"fitted anew, {changed} changed since {path} was stored"])
        return None
    announce([f"reused the fit stored in {path}", *stored.posterior.run_notices])
    return stored
