"""What computes the log density."""

from __future__ import annotations

from hiermod.errors import ModelError

ENGINES = ("auto", "pymc")


def check_engine(engine: str) -> None:
    """Refuse an unknown engine; ``auto`` takes PyMC, the only one there is."""
    if engine not in ENGINES:
        raise ModelError(f"engine={engine!r}: 'auto' or 'pymc', which are the same.")
