"""Replications on disk: one CSV row each, written as soon as it is there, and beside it what the rows belong to."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.calibration.ranks import DRAWS, Replication
from benchmarks.calibration.shapes import Shape

OWN = Path(__file__).parent
ROOT = OWN.parent.parent
SIMULATION = ("pooled", "priors", "questions", "ranks", "responses", "shapes", "simulate", "spread")
RUN = [field.name for field in dataclasses.fields(Replication) if field.name != "ranks"]


class OtherRunError(Exception):
    """Stored ranks belong to other code or settings: together with new ones they would say nothing."""


def provenance(shape: Shape, seed: int, engine: str) -> dict[str, Any]:
    """What ranks depend on."""
    sources = [*sorted((ROOT / "hiermod").rglob("*.py")), *(OWN / f"{name}.py" for name in SIMULATION)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    packages = {name: version(name) for name in ("hiermod", "pymc", "nutpie", "numba", "numpy")}
    model = {"formula": shape.formula, "family": shape.family, "priors": shape.model.priors}
    return {**model, "seed": seed, "engine": engine, "draws": DRAWS, "code": digest[:16], "packages": packages}


class Store:
    """The replications of one shape in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows, self.about = folder / f"{name}.csv", folder / f"{name}.json"

    def open(self, expected: dict[str, Any]) -> set[int]:
        """Begin, or continue where an interrupted run stopped; return the numbers of what is there.

        Raises
        ------
        OtherRunError
            If what is there was made with other code, packages or settings.
        """
        self.rows.parent.mkdir(parents=True, exist_ok=True)
        if self.rows.exists() and self.about.exists():
            found = json.loads(self.about.read_text())
            changed = [key for key in expected if found.get(key) != expected[key]]
            if changed:
                raise OtherRunError(f"{self.rows} was made with other {', '.join(changed)}; --fresh starts again.")
            self._drop_torn_row()
            return set(self.read()["number"]) if self.rows.stat().st_size else set()
        self.rows.write_text("")
        self.about.write_text(json.dumps(expected, indent=1) + "\n")
        return set()

    def _drop_torn_row(self) -> None:
        """An interruption may leave the last row unfinished."""
        content = self.rows.read_bytes()
        self.rows.write_bytes(content[: content.rfind(b"\n") + 1])

    def clear(self) -> None:
        """Forget what is there."""
        self.rows.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)

    def append(self, done: Replication) -> None:
        """Write one replication, the names of its columns first if it is the first."""
        row = {**{name: getattr(done, name) for name in RUN}, **done.ranks}
        with self.rows.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if not file.tell():
                writer.writeheader()
            writer.writerow(row)

    def read(self, replications: int | None = None) -> pd.DataFrame:
        """All replications in order, or the first so many."""
        frame = pd.read_csv(self.rows).sort_values("number", ignore_index=True)
        return frame if replications is None else frame[frame["number"] < replications]


def ranks_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The ranks of each quantity."""
    return {name: frame[name].to_numpy(dtype=int) for name in frame.columns if name not in RUN}
