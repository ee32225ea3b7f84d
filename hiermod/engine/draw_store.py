"""Where many numbers of many draws stay: written by the chains' threads as they are made, without their warm-up."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass, field

import numpy as np

from hiermod.engine.layout.program import Program
from hiermod.memory import NUMBER

LARGE = 64_000_000  # bytes of draws, from which on a second copy and their warm-up are worth a call of Python each
WARMING_UP = -1.0
Expand = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)


@dataclass(eq=False)
class DrawStore:
    """Draws of all chains; the sampler itself keeps one number each: its place here, or that it is of the warm-up.

    The sampler does not say which chain asks for the numbers of a draw. A chain stays on one thread, though, and a
    thread takes the next chain when one is whole, so draws are counted by thread.
    """

    program: Program
    tune: int
    draws: int
    chains: int
    numbers: np.ndarray = field(init=False)
    failed: BaseException | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.numbers = np.empty((self.chains, self.draws, self.program.expanded))
        self._expand = Expand(self.program.compiled["expand"].address)
        self._callback = Expand(self._expanded)
        self._lock, self._begun = threading.Lock(), 0
        self._by_thread: dict[int, tuple[int, int]] = {}

    @property
    def address(self) -> int:
        """Of what the sampler calls for the numbers of a draw."""
        return ctypes.cast(self._callback, ctypes.c_void_p).value or 0

    def _expanded(self, size: int, _: int, point: int, out: int, data: int) -> int:
        try:
            place = self._place()
            ctypes.c_double.from_address(out).value = place
            if place == WARMING_UP:
                return 0
            row = self.numbers.ctypes.data + int(place) * self.numbers.strides[1]
            return int(self._expand(size, self.numbers.shape[2], point, row, data))
        except BaseException as error:  # an error in the sampler's threads is a panic: it is told at the end
            self.failed = error
            return 0

    def _place(self) -> float:
        """The next place of this thread's chain."""
        thread = threading.get_ident()
        chain, seen = self._by_thread.get(thread, (0, self.tune + self.draws))
        if seen == self.tune + self.draws:
            with self._lock:
                chain, seen = self._begun, 0
                self._begun += 1
        self._by_thread[thread] = (chain, seen + 1)
        return float(chain * self.draws + seen - self.tune) if seen >= self.tune else WARMING_UP

    def collected(self, places: list[np.ndarray]) -> np.ndarray:
        """The draws in the order of the chains, as the sampler has their places; NaN where a chain has fewer.

        Raises
        ------
        RuntimeError
            If a draw could not be written, or places are not those that chains without interruption have.
        """
        if self.failed is not None:
            raise RuntimeError(f"a draw could not be written: {self.failed!r}") from self.failed
        order = np.full(self.chains, -1)
        for chain, own in enumerate(places):
            if len(own):
                order[chain] = int(own[0]) // self.draws
                if not np.array_equal(own, order[chain] * self.draws + np.arange(len(own))):
                    raise RuntimeError("the sampler's draws are not in the order in which they were made")
        left = iter(sorted(set(range(self.chains)) - set(order.tolist())))
        _put_in_order(self.numbers, np.array([next(left) if own < 0 else own for own in order]))
        for chain, own in enumerate(places):
            self.numbers[chain, len(own) :] = np.nan
        longest = max(map(len, places), default=0)
        return self.numbers[: len(places), :longest]


def _put_in_order(numbers: np.ndarray, order: np.ndarray) -> None:
    """Have ``numbers[i]`` be what ``numbers[order[i]]`` was, with one of them held aside."""
    order = order.copy()
    for start in range(len(order)):
        if order[start] == start:
            continue
        aside, at = numbers[start].copy(), start
        while order[at] != start:
            numbers[at] = numbers[order[at]]
            order[at], at = at, order[at]
        numbers[at], order[at] = aside, at


def is_large(numbers: int, draws: int, chains: int) -> bool:
    """Whether so many numbers of each draw of a run are worth a store of their own."""
    return NUMBER * chains * draws * numbers >= LARGE


def of_run(program: Program, draws: int, tune: int, chains: int) -> DrawStore | None:
    """A store where the run's draws are many."""
    return DrawStore(program, tune, draws, chains) if is_large(program.expanded, draws, chains) else None
