"""Fits without some rows: counted on stderr, and their scores kept in a folder, if there is one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hiermod.errors import StorageError
from hiermod.sampling.several import each

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Runs:
    """How the fits of a cross-validation are run.

    Parameters
    ----------
    progress : bool
        Whether to count them on stderr.
    folder : Path, optional
        Where the scores of each are kept as soon as it is done, and looked for before it is run.
    say : callable
        Is told how many were found there.
    """

    progress: bool = False
    folder: Path | None = None
    say: Callable[[str], None] = lambda _: None

    def each(self, work: Callable[[Any], tuple[Any, ...]], tasks: Sequence[Any], kind: str, what: str) -> list[Any]:
        """The numbers that `work` makes of every task, in order; a task begins with its `Refit`."""
        if self.folder is None:
            return each(work, tasks, self.progress, what)
        paths = [self.folder / f"{kind}-{refit.fingerprint()[:32]}.npz" for refit, *_ in tasks]
        found = [_kept(path) for path in paths]
        absent = [place for place, own in enumerate(found) if own is None]
        if len(absent) < len(tasks):
            self.say(f"reused {len(tasks) - len(absent)} of {len(tasks)} {what} kept in {self.folder}")

        def keep(place: int, numbers: tuple[Any, ...]) -> None:
            found[absent[place]] = numbers
            _keep(paths[absent[place]], numbers)

        each(work, [tasks[place] for place in absent], self.progress, what, keep)
        return found


def _kept(path: Path) -> tuple[Any, ...] | None:
    """The numbers of a file; None where there is none, or one that cannot be read, which is then written anew."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return tuple(stored[f"arr_{place}"][()] for place in range(len(stored.files)))
    except DAMAGED:
        return None


def _keep(path: Path, numbers: tuple[Any, ...]) -> None:
    """Write a file, which is there only when it is complete."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, *(np.asarray(own) for own in numbers))
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"Scores cannot be kept in {str(path.parent)!r}: {error}") from error
