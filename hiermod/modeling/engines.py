"""What computes the log density."""

from __future__ import annotations

from hiermod.errors import ModelError

ENGINES = ("auto", "compiled", "pymc")


def check_engine(engine: str) -> None:
    """Refuse an unknown engine; ``auto`` takes the compiled one where it covers the model, and PyMC otherwise."""
    if engine not in ENGINES:
        raise ModelError(f"engine={engine!r}: {', '.join(map(repr, ENGINES[:-1]))} or {ENGINES[-1]!r} is needed.")
