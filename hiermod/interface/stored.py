"""Fits in files: found again where they are of the same model, data and settings, with their scores beside them."""

from __future__ import annotations

from pathlib import Path

from hiermod.errors import StorageError
from hiermod.interface.fit import Fit, Model
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined
from hiermod.sampling.ending import held_back
from hiermod.sampling.settings import Settings
from hiermod.sampling.storage import StoredFit, difference, forget_scores, keeping_scores, load, with_data

MOST_NAMES = 10


def fit_of(stored: StoredFit) -> Fit:
    """A stored fit as a user holds it."""
    return Fit(Model(stored.defined), stored.posterior)


def kept(path: Path, defined: Defined, settings: Settings) -> tuple[Fit | None, Path]:
    """The fit stored there, if it is of the same model, data and settings; and where one is to be stored otherwise.

    A file that cannot be read is left as it is, and said: ``fit.nc`` gives way to ``fit.2.nc``.
    """
    for place in range(1, MOST_NAMES):
        candidate = path if place == 1 else path.with_name(f"{path.stem}.{place}{path.suffix}")
        if not candidate.exists():
            return None, candidate
        try:
            stored = load(candidate)
        except StorageError as error:
            announce([f"{error} It is left as it is, and another name taken"])
            continue
        if not _reusable(stored, candidate, defined, settings):
            return None, candidate
        return fit_of(keeping_scores(with_data(stored, defined), candidate)), candidate
    raise StorageError(f"{str(path)!r}, and files of names like it, hold no fits. Name another file.")


def keep(fit: Fit, path: Path) -> Fit:
    """Store a fit, whose scores are kept beside it from now on; those of the fit that was there before are removed.

    Where it cannot be written any more, the fit is not lost with the error: a notice says so. Ctrl-C is heard when
    it is stored.
    """
    with held_back():
        try:
            fit.save(path)
        except StorageError as error:
            announce([f"not stored: {error} The fit is in memory: fit.save() stores it elsewhere"])
            return fit
        announce([f"stored in {path}"])
        forget_scores(path)
    return fit_of(keeping_scores(StoredFit(fit._known, fit._drawn), path))


def _reusable(stored: StoredFit, path: Path, defined: Defined, settings: Settings) -> bool:
    changed = difference(stored, defined, settings)
    if changed is None and stored.posterior.interrupted:
        announce([f"fitted anew, since the fit stored in {path} was interrupted"])
        return False
    if changed is not None:
        announce([f"fitted anew, {changed} changed since {path} was stored"])
        return False
    announce([f"reused the fit stored in {path}", *stored.posterior.run_notices])
    return True
