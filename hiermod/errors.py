"""One tree of errors under `HiermodError`, and the helpers that build their hints."""

from __future__ import annotations

import contextlib
import difflib
import unicodedata
from collections.abc import Iterable, Iterator

__all__ = [
    "AnswerError",
    "DataError",
    "FormulaError",
    "HiermodError",
    "InterruptedSamplingError",
    "ModelError",
    "PriorError",
    "SamplingError",
    "StorageError",
]


class HiermodError(Exception):
    """Root of every error that hiermod raises on purpose."""

    def __str__(self) -> str:
        return visible(super().__str__())


class FormulaError(HiermodError):
    """The formula cannot be read, or does not mean what it seems to mean.

    Parameters
    ----------
    message : str
        What was found, what was expected, what to do.
    text : str
        The formula as typed.
    start, end : int
        Where in `text` the culprit stands; a caret is drawn under it.
    """

    def __init__(self, message: str, text: str, start: int, end: int | None = None) -> None:
        self.text = text
        self.start = min(max(start, 0), len(text))
        self.end = max(self.start + 1, end if end is not None else self.start + 1)
        super().__init__(f"{message}\n\n{underline(text, self.start, self.end)}")


class DataError(HiermodError):
    """The data does not fit the formula, the family, or what a posterior can bear."""


class PriorError(HiermodError):
    """A prior cannot be read, has no parameter to belong to, or does not fit it."""


class ModelError(HiermodError):
    """A model that cannot be expressed in the asked way, such as in Bambi."""


class SamplingError(HiermodError):
    """The sampler could not produce draws."""


class InterruptedSamplingError(SamplingError):
    """Ctrl-C ended the sampling before there was a draw to keep."""

    def __init__(
        self, message: str = "The run was interrupted during warm-up, before any draw. Nothing could be kept."
    ) -> None:
        super().__init__(message)


class AnswerError(HiermodError):
    """A question that the fitted model cannot answer."""


class StorageError(HiermodError):
    """A file cannot be read as a stored fit."""


def is_panic(error: BaseException) -> bool:
    """Whether compiled Rust code gave up, as that of polars and nutpie does by what is no Exception of Python."""
    return type(error).__name__ == "PanicException"


@contextlib.contextmanager
def panics_as_errors() -> Iterator[None]:
    """Make errors of panics, so that who handles errors handles them."""
    try:
        yield
    except BaseException as error:
        if not is_panic(error):
            raise
        raise RuntimeError(f"a compiled part gave up: {error}") from error


JOINERS = "\u200c\u200d"  # letters of Persian and of Indian scripts, and emoji, are written with them


def visible(text: str) -> str:
    r"""Text for people, in which control characters, and those that turn its direction, are spelled out: ``\x1b``.

    Lines and tabs stay. A terminal obeys such characters, and a reader does not see them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable() or one in "\n\t" + JOINERS or unicodedata.category(one) == "Zs"
        else one.encode("unicode_escape").decode()
        for one in text
    )


def underline(text: str, start: int, end: int, width: int = 96) -> str:
    """Draw a caret line under ``text[start:end]``; long texts are cut to a window around it."""
    left = max(0, start - width // 2)
    window = text[left : left + width]
    flat = "".join(character if character.isprintable() else " " for character in window)
    marks = "^" * max(1, min(end, left + len(window)) - start)
    head, tail = ("…" if left else ""), ("…" if left + width < len(text) else "")
    return f"    {head}{flat}{tail}\n    {' ' * (start - left + len(head))}{marks}"


def nearest(name: str, candidates: Iterable[object], count: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return up to `count` candidates that look like `name`, the best first; `cutoff` is the least share of letters."""
    names = [str(candidate) for candidate in candidates]
    by_fold: dict[str, str] = {}
    for candidate in names:
        by_fold.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(str(name).casefold(), by_fold, n=count, cutoff=cutoff)
    return [by_fold[fold] for fold in close]


def did_you_mean(name: str, candidates: Iterable[object]) -> str:
    """Return ``" Did you mean 'x'?"`` or, where nothing is near, the list of what there is."""
    candidates = list(candidates)
    close = nearest(name, candidates)
    if close:
        return f" Did you mean {' or '.join(repr(candidate) for candidate in close)}?"
    return f" There is: {enumerate_names(candidates)}." if candidates else ""


def enumerate_names(names: Iterable[object], limit: int = 12) -> str:
    """Join names with commas, cutting a long list with its count."""
    listed = [repr(str(name)) for name in names]
    rest = len(listed) - limit
    return ", ".join(listed[:limit]) + (f" and {rest} more" if rest > 0 else "")
