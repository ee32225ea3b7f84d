"""SIGTERM, heard as Ctrl-C is: what is finished is kept, and then the process ends by it; and both held back."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt once if SIGTERM comes within the block; after the block the process ends by SIGTERM.

    Where the program has a handler of its own, or this is not the main thread, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        if not heard:  # whoever is impatient does not tear what is being stored
            heard = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if heard:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads it
                    stream.flush()
            signal.raise_signal(signal.SIGTERM)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Hear Ctrl-C and SIGTERM at the end of the block, not within: what it starts has a name by then, to be stopped by.

    Threads of a sampler that nobody can stop any more would end the interpreter in a segmentation fault; and what is
    computed is stored first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
    for held in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(held)
        if callable(handler):
            handlers[held] = handler
            signal.signal(held, lambda *signalled: came.append(signalled))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number, frame in came[:1]:
        handlers[number](number, frame)
