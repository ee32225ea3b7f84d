"""``hiermod compare``: formulas in, a table of how well they predict out; what is finished is kept."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hiermod.cli.output import COULD_NOT_FIT, DONE, INTERRUPTED, NOT_CONVERGED, wants_progress
from hiermod.errors import (
    AnswerError,
    DataError,
    HiermodError,
    InterruptedSamplingError,
    StorageError,
    did_you_mean,
    visible,
)

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.scoring.comparison import ModelComparison
    from hiermod.cli.comparisons import Batch, Comparison
    from hiermod.interface.fit import Fit
    from hiermod.modeling.definition import Defined


def run(options: argparse.Namespace) -> int:
    """Compare everything that was asked for; a model that cannot be fitted leaves the others their table."""
    from hiermod.cli.comparisons import from_arguments, from_file, with_failures

    batch = from_file(options) if options.data.endswith(".toml") else from_arguments(options)
    for comparison in batch.comparisons:
        _check(comparison)
    _check_targets(batch)
    tables: dict[str, pd.DataFrame] = {}
    cautions: dict[str, str] = {}
    failures, unconverged, unwritten = 0, 0, False
    for comparison in batch.comparisons:
        try:
            result, failed, troubles = _compare(comparison, batch, wants_progress(options))
        except KeyboardInterrupt:
            _say(_kept(batch))
            return INTERRUPTED
        failures += len(failed)
        unconverged += len(troubles)
        tables[comparison.name] = with_failures(result, failed, troubles)
        cautions[comparison.name] = "" if result is None else result.caution
        if batch.out is not None:
            unwritten = not _written(batch.out, tables, cautions)
        _show(comparison, result, failed, troubles)
    if failures or unwritten:
        return COULD_NOT_FIT
    return NOT_CONVERGED if options.strict and unconverged else DONE


def _check_targets(batch: Batch) -> None:
    """Refuse a table, or a folder of fits, that cannot be written, before anything is fitted."""
    from hiermod.sampling.files import check_target, make_folder

    try:
        if batch.out is not None:
            check_target(batch.out, "a table", f"table{batch.out.suffix}")
        if batch.fits is not None:
            make_folder(batch.fits)
    except StorageError as error:
        raise AnswerError(str(error)) from error


def _written(path: Path, tables: dict[str, pd.DataFrame], cautions: dict[str, str]) -> bool:
    """Whether the tables could be written; where not, they stand on stdout all the same."""
    from hiermod.cli.comparisons import write_tables

    try:
        write_tables(path, tables, cautions)
    except OSError as error:
        _say(f"the table cannot be written to {path}: {error.strerror or error}")
        return False
    return True


def _check(comparison: Comparison) -> None:
    """Refuse what can be seen to be wrong before anything is fitted."""
    from hiermod.data.sources.frames import column_names
    from hiermod.data.sources.paths import find_files
    from hiermod.families.registry import read_family

    where = f"[comparisons.{comparison.name}]: " if comparison.name else ""
    try:
        find_files(comparison.data)
        if comparison.family is not None:
            read_family(comparison.family)
    except DataError as error:
        raise AnswerError(f"{where}{error}") from error
    for key in ("by", "stratify", "group"):
        given = getattr(comparison.design, key) or []
        columns = column_names(comparison.data) if given else ()
        for name in [given] if isinstance(given, str) else given:
            if name not in columns and not set(str(name).split(":")) <= set(columns):
                raise AnswerError(f"{where}{key}: the data has no column {name!r}.{did_you_mean(name, columns)}")


def _compare(
    comparison: Comparison, batch: Batch, progress: bool
) -> tuple[ModelComparison | None, dict[str, str], dict[str, str]]:
    """The comparison of what could be fitted, why the rest could not, and why some have not converged."""
    from hiermod.answers.scoring.held_out import Runs
    from hiermod.interface.comparison import compare_fits

    fits: dict[str, Fit] = {}
    models, failed = _defined(comparison)
    for place, (name, model) in enumerate(models.items(), 1):
        where = f"{comparison.name}: " if comparison.name else ""
        _say(f"{where}{name} ({place} of {len(models)})")
        try:
            fits[name] = _fit(comparison, model, comparison.models[name], batch.fits, progress)
        except InterruptedSamplingError as error:
            raise KeyboardInterrupt from error
        except HiermodError as error:
            failed[name] = str(error)
            _say(f"{name}: {error}")
    troubles = {name: trouble for name, fit in fits.items() if (trouble := fit.check().trouble)}
    runs = Runs(progress, batch.fits, _say)
    try:
        return (compare_fits(fits, comparison.data, comparison.design, runs) if fits else None), failed, troubles
    except HiermodError as error:
        _say(str(error))
        return None, {**dict.fromkeys(fits, str(error)), **failed}, troubles


def _defined(comparison: Comparison) -> tuple[dict[str, Defined], dict[str, str]]:
    """The models, all of the same rows, and why others cannot be defined."""
    from hiermod.interface.comparison import of_the_same_rows
    from hiermod.modeling.definition import Definition, define

    models: dict[str, Defined] = {}
    failed: dict[str, str] = {}
    for name, formula in comparison.models.items():
        try:
            models[name] = define(Definition(formula, comparison.family), comparison.data, patterns=False)
        except HiermodError as error:
            failed[name] = str(error)
            _say(f"{name}: {error}")
    return of_the_same_rows(models), failed


def _fit(comparison: Comparison, defined: Defined, formula: str, folder: Path | None, progress: bool) -> Fit:
    from hiermod.interface.fit import Model
    from hiermod.interface.stored import keep, kept

    path = None if folder is None else folder / _file_name(comparison, formula)
    if path is not None:
        found, path = kept(path, defined, comparison.settings)
        if found is not None:
            return found
    fit = Model(defined).sampled(comparison.settings, progress)
    if fit._drawn.interrupted:
        raise KeyboardInterrupt
    return fit if path is None else keep(fit, path)


def _file_name(comparison: Comparison, formula: str) -> str:
    """A name for the fit; its content says whether it is that of the same data and settings."""
    content = repr((str(Path(comparison.data).absolute()), formula, comparison.family, comparison.settings))
    return f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.nc"


def _show(
    comparison: Comparison, result: ModelComparison | None, failed: dict[str, str], troubles: dict[str, str]
) -> None:  # fmt: skip
    if comparison.name:
        print(f"{visible(comparison.name)}:")
    if result is not None:
        print(result)
    for name, trouble in troubles.items():
        print(visible(f"{name}: {trouble}"))
    for name, why in failed.items():
        print(visible(f"{name}: not compared: {why.splitlines()[0]}"))
    print(flush=True)


def _kept(batch: Batch) -> str:
    if batch.fits is None:
        return "interrupted; with --out or --fits, finished fits and folds are kept"
    return f"interrupted; finished fits and folds are kept in {batch.fits}: run the same command again to go on"


def _say(text: str) -> None:
    print(f"hiermod: {visible(text)}", file=sys.stderr, flush=True)
