"""How a posterior is sampled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from hiermod.errors import SamplingError

DEFAULT_TARGET_ACCEPT = 0.95
DEFAULT_TUNE = 1000


@dataclass(frozen=True)
class Settings:
    """A run's settings; None means that hiermod chooses, and may choose anew where a run meets trouble."""

    draws: int = 1000
    tune: int | None = None
    chains: int = 4
    cores: int | None = None
    seed: int | None = None
    target_accept: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("draws", 1), ("chains", 1), ("tune", 1), ("cores", 1), ("seed", 0)):
            value = getattr(self, name)
            allowed = value is None and name in ("tune", "cores", "seed")
            if not allowed and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise SamplingError(f"{name}={value!r}: a whole number from {least} on is needed.")
        if self.target_accept is not None and not 0 < self.target_accept < 1:
            raise SamplingError(f"target_accept={self.target_accept!r}: a number between 0 and 1 is needed.")


def fresh_seed() -> int:
    """A seed for a run that was given none; it is stored, so that the run can be repeated."""
    return secrets.randbelow(2**31)
