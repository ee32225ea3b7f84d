"""One line that says how far long work is: written over in a terminal, updated in place in a notebook.

Only the thread that asked for the work writes. A line that is written from threads of a sampler costs descriptors in
a notebook, one more for each thread, until there are none.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any

SECOND = 1.0  # how often a line is written, and how long nothing is said
LOG_SECONDS = 30.0  # how often where lines cannot be written over


class ProgressLine:
    """A line of progress, from the first second on. `show` may be called as often as one likes.

    In a terminal it is cleared in the end, in a notebook its last text stays; where stderr is neither, a line is
    written every half minute.
    """

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.display: Any = None
        self.notebook, self.terminal = _in_notebook(), sys.stderr.isatty()
        self.pause = SECOND if self.notebook or self.terminal else LOG_SECONDS
        self.shown = False

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return time.monotonic() - self.began

    def show(self, text: str) -> None:
        """Show how far the work is, if the last text stands there for a while."""
        now = time.monotonic()
        if now - self.last >= self.pause:
            self.last, self.shown = now, True
            self._write(text)

    def close(self, text: str = "") -> None:
        """End the line; `text` is what a notebook keeps of it, with the seconds that were spent."""
        if self.shown and self.notebook and text:
            self._write(f"{text} in {self.seconds:,.0f} s")
        elif self.shown and self.terminal and not self.notebook:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        line = f"hiermod: {text}"
        if self.notebook:
            self._update({"text/plain": line})
            return
        sys.stderr.write(f"\r{line}\x1b[K" if self.terminal else f"{line}\n")
        sys.stderr.flush()

    def _update(self, content: dict[str, str]) -> None:
        if self.display is None:
            display = importlib.import_module("IPython.display").display
            self.display = display(content, raw=True, display_id=True)
        else:
            self.display.update(content, raw=True)


class ChainProgress:
    """How far chains of draws are. The sampler's threads call it with their state; the waiting thread shows that."""

    def __init__(self) -> None:
        self.line = ProgressLine()
        self.latest: list[Any] = []

    def __call__(self, chains: list[Any]) -> None:
        """Keep the chains' state: what a sampler's thread may do, and nothing else."""
        self.latest = chains

    def show(self) -> None:
        """Show draws done, divergences, and about how long it goes on."""
        done, total = self._draws()
        diverged = sum(chain.divergences for chain in self.latest)
        remaining = f", about {self.line.seconds * (total - done) / done:.0f} s left" if done else ""
        trouble = f", {diverged:,} divergences" if diverged else ""
        self.line.show(f"{done:,} of {total:,} draws{remaining}{trouble}")

    def close(self) -> None:
        """End the line."""
        self.line.close(f"{self._draws()[0]:,} draws with their warm-up")

    def _draws(self) -> tuple[int, int]:
        return sum(chain.finished_draws for chain in self.latest), sum(chain.total_draws for chain in self.latest)


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, as IPython knows; nothing is imported to find out."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
