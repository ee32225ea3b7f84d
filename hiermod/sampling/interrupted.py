"""Whether Ctrl-C ended a run, and what to keep of chains that it left at different lengths."""

from __future__ import annotations

import numpy as np

NOTHING_KEPT = "The run was interrupted during warm-up, before any draw. Nothing could be kept."


def was_interrupted(error: BaseException) -> bool:
    """Whether an error says that Ctrl-C ended a run, and left nothing."""
    return isinstance(error, KeyboardInterrupt) or str(error) == NOTHING_KEPT


def longest_run(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """The chains, and how many draws of each, that keep most of a run whose chains have these lengths."""
    longest_first = np.argsort(-lengths, kind="stable")
    kept = lengths[longest_first] * np.arange(1, len(lengths) + 1)
    size = int(np.argmax(kept)) + 1 if len(kept) else 0
    return np.sort(longest_first[:size]), int(lengths[longest_first[size - 1]]) if size else 0
