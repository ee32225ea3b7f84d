"""What memory a run takes and the machine has left: a run that does not fit is refused before it starts."""

from __future__ import annotations

from dataclasses import replace

from hiermod.engine.draw_store import is_large
from hiermod.errors import SamplingError
from hiermod.memory import NUMBER, refuse_beyond, room
from hiermod.sampling.settings import Settings

STATISTICS = 13  # numbers that the sampler keeps of each draw beside its own


def bytes_of_run(numbers: int, settings: Settings, tune: int, compiled: bool) -> int:
    """Bytes that so many numbers of each draw take.

    The compiled engine writes many draws where they stay, and holds one chain aside while it puts chains in order.
    Otherwise the sampler has warm-up and draws, and the draws are put in order beside them.
    """
    chains, draws = settings.chains, settings.draws
    if compiled and is_large(numbers, draws, chains):
        return NUMBER * ((chains + 1) * draws * numbers + chains * (draws + tune) * STATISTICS)
    return NUMBER * chains * ((draws + tune) * (numbers + STATISTICS) + draws * numbers)


def refuse_large(numbers: int, settings: Settings, tune: int, compiled: bool = False) -> None:
    """Refuse a run that does not fit in memory.

    Raises
    ------
    SamplingError
        With what it needs, what there is, and how many draws fit.
    """
    need, left = bytes_of_run(numbers, settings, tune, compiled), room()
    if need <= left:
        return
    each = (bytes_of_run(numbers, replace(settings, draws=2 * settings.draws), tune, compiled) - need) / settings.draws
    fitting = int((left - (need - each * settings.draws)) / each)
    remedy = f"draws={fitting} would fit" if fitting >= 1 else "fewer groups or chains are needed"
    what = f"{settings.chains} chains of {settings.draws:,} draws of {numbers:,} numbers"
    refuse_beyond(need, what, remedy, SamplingError)
