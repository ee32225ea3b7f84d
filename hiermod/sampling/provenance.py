"""What made a posterior: versions of packages, the machine, the seed and a fingerprint of the data."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.settings import Settings
from hiermod.terminal import lines_of, width
from hiermod.version import __version__

PACKAGES = ("bambi", "pymc", "nutpie", "arviz", "numpy", "pandas", "scipy", "numba", "llvmlite")


@dataclass(frozen=True)
class Origin:
    """The versions and the machine of a run; empty where they are not known."""

    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""


@cache
def here() -> Origin:
    """Those of this process."""
    versions = {"hiermod": __version__, "python": platform.python_version()}
    kind = f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"
    return Origin({**versions, **{name: version(name) for name in PACKAGES}}, kind)


@dataclass(frozen=True)
class Provenance:
    """What is needed to make a fit again, to the bit.

    Attributes
    ----------
    formula, family : str
        Of the model.
    fingerprint : str
        A hash of what the model saw of the data; the same data give the same one.
    rows : int
        Of the data, after those that were left out.
    seed : int, optional
        Of the run that is kept; None of draws that somebody else made.
    settings : dict
        Of that run.
    engine : str
        What sampled; empty where hiermod did not.
    versions : mapping
        Of hiermod, Python and the packages that take part, when it was sampled.
    platform : str
        The system, the processor and its cores.
    """

    formula: str
    family: str
    fingerprint: str
    rows: int
    seed: int | None
    settings: Mapping[str, Any]
    engine: str
    versions: Mapping[str, str]
    platform: str

    def __repr__(self) -> str:
        lines = {**asdict(self), "settings": _listed(self.settings), "versions": _listed(self.versions)}
        return lines_of("\n".join(f"{name:12} {value}" for name, value in lines.items()), width(), " " * 13)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for a log or a JSON file.

        Examples
        --------
        >>> fit.provenance.as_dict()["rows"]
        400
        """
        return asdict(self)


def provenance(spec: ModelSpec, settings: Settings | None, engine: str, origin: Origin) -> Provenance:
    """What made draws of a model; settings are None, and the engine is empty, where hiermod did not."""
    source = spec.cells.source
    return Provenance(
        str(spec.formula), str(spec.family), source.fingerprint, source.rows,
        None if settings is None else settings.seed, {} if settings is None else asdict(settings), engine,
        dict(origin.versions), origin.platform,
    )  # fmt: skip


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
