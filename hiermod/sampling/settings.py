"""How a posterior is sampled: the settings of a run, and the engine that runs it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from hiermod.choices import ENGINES
from hiermod.errors import ModelError, SamplingError

if TYPE_CHECKING:
    import xarray as xr

LARGEST = 2**63


@dataclass(frozen=True)
class Settings:
    """A run's settings; None means that hiermod chooses, and may choose anew where a run meets trouble."""

    draws: int = 1000
    tune: int | None = None
    chains: int = 4
    cores: int | None = None
    seed: int | None = None
    target_accept: float | None = None
    engine: str = "auto"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ModelError(
                f"engine={self.engine!r}: {', '.join(map(repr, ENGINES[:-1]))} or {ENGINES[-1]!r} is needed."
            )
        for name, least in (("draws", 1), ("chains", 1), ("tune", 1), ("cores", 1), ("seed", 0)):
            value: Any = getattr(self, name)
            if value is None and name in ("tune", "cores", "seed"):
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) < LARGEST:
                raise SamplingError(f"{name}={value!r}: a whole number from {least} on, below 2^63, is needed.")
            object.__setattr__(self, name, int(value))
        target: Any = self.target_accept
        if target is None:
            return
        if not isinstance(target, Real) or not 0 < float(target) < 1:
            raise SamplingError(f"target_accept={target!r}: a number between 0 and 1 is needed.")
        object.__setattr__(self, "target_accept", float(target))


@dataclass(frozen=True)
class ChosenEngine:
    """What samples a model, and why that is PyMC where the compiled engine was not refused; printed as a notice."""

    name: Literal["exact", "compiled", "pymc"]
    reason: str = ""

    def __str__(self) -> str:
        text = {"exact": "engine: exact, independent draws by quadrature", "compiled": "engine: compiled"}.get(
            self.name, "engine: PyMC"
        )
        return f"{text} ({self.reason})" if self.reason else text


def check_switch(name: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise SamplingError(f"{name}={value!r}: True or False is needed.")


def fresh_seed() -> int:
    """A seed for a run that was given none; it is stored, so that the run can be repeated."""
    return secrets.randbelow(2**31)


class Sampler(Protocol):
    """Something that samples a model: its defaults, and one run of it."""

    @property
    def engine(self) -> ChosenEngine:
        """What it is."""

    @property
    def tune(self) -> int | None:
        """Warm-up of each chain, unless the user set it; None where there is none."""

    @property
    def target_accept(self) -> float | None:
        """The first target, unless the user set it; None where nothing is tuned."""

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample once; return the draws and whether the run was interrupted.

        Raises
        ------
        InterruptedSamplingError
            If the run was interrupted before any draw.
        SamplingError
            If no chain could start.
        NotDrawnError
            If independent draws fail.
        """


def longest_run(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """The chains, and how many draws of each, that keep most of a run whose chains have these lengths."""
    longest_first = np.argsort(-lengths, kind="stable")
    kept = lengths[longest_first] * np.arange(1, len(lengths) + 1)
    size = int(np.argmax(kept)) + 1 if len(kept) else 0
    return np.sort(longest_first[:size]), int(lengths[longest_first[size - 1]]) if size else 0
