"""What memory a run takes and the machine has left: a run that does not fit is refused before it starts."""

from __future__ import annotations

from hiermod.errors import SamplingError
from hiermod.memory import NUMBER, refuse_beyond, room
from hiermod.sampling.settings import Settings

STATISTICS = 12  # numbers that the sampler keeps beside each draw


def bytes_of_run(numbers: int, settings: Settings, tune: int) -> int:
    """Bytes that so many numbers of each draw take: warm-up and draws in the sampler, and the draws put in order."""
    sampled = settings.chains * (settings.draws + tune) * (numbers + STATISTICS)
    return NUMBER * (sampled + 2 * settings.chains * settings.draws * numbers)


def refuse_large(numbers: int, settings: Settings, tune: int) -> None:
    """Refuse a run that does not fit in memory.

    Raises
    ------
    SamplingError
        With what it needs, what there is, and how many draws fit.
    """
    need, left = bytes_of_run(numbers, settings, tune), room()
    if need <= left:
        return
    fixed = bytes_of_run(numbers, Settings(1, chains=settings.chains), tune)
    each = (need - fixed) / max(settings.draws - 1, 1)
    fitting = int((left - fixed) / each) if left > fixed else 0
    remedy = f"draws={fitting} would fit" if fitting >= 1 else "fewer groups or chains are needed"
    what = f"{settings.chains} chains of {settings.draws:,} draws of {numbers:,} numbers"
    refuse_beyond(need, what, remedy, SamplingError)
