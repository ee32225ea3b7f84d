"""`report`: one self-contained page about fits, answers and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hiermod.answers.answer import Answer, check_prob
from hiermod.answers.scoring.comparison import ModelComparison
from hiermod.errors import ModelError, StorageError
from hiermod.sampling.files import check_target, replacing
from hiermod.sampling.storage import StoredFit


@runtime_checkable
class Fitted(Protocol):
    """What a report needs of a `Fit`."""

    @property
    def formula(self) -> str: ...  # noqa: D102
    @property
    def notices(self) -> list[str]: ...  # noqa: D102
    @property
    def _told(self) -> StoredFit: ...


def report(
    what: Any, path: str | Path, *, title: str | None = None, answers: Sequence[Answer] = (), prob: float = 0.95
) -> Path:  # fmt: skip
    """Write a page: the answers in words first, then tables, pictures, checks, the model, and how to get it again.

    The page is one file that asks nothing of any other computer. Its tables can be sorted and copied, its pictures are
    SVG, it follows the reader's choice of light or dark, and it prints.

    Parameters
    ----------
    what : Fit, Answer, ModelComparison, list or dict
        What the page is about: one of these, several in a list, or in a dict by their names.
    path : path
        Where the page is written; what is there is replaced.
    title : str, optional
        Of the page; the formula of a fit without it.
    answers : list of Answer, optional
        What the page of one fit answers, such as ``[fit.effect("treated", by="country")]``. Without it: the effect of
        each predictor of few levels by group, the curve of each number, and else which group is best.
    prob : float
        Of the intervals of answers that are not given.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    ModelError
        If there is nothing to report, or something of another kind.
    StorageError
        If no file can be written there.

    Examples
    --------
    >>> import hiermod as hm
    >>> path = hm.report(fit, folder / "page.html", answers=[fit.effect("treated", by="country")])
    >>> path.read_text()[:15]
    '<!DOCTYPE html>'
    """
    from hiermod.show.report.page import render

    subjects = _named(what)
    if answers and not (len(subjects) == 1 and isinstance(next(iter(subjects.values())), Fitted)):
        raise ModelError("answers= belong to the page of one fit; put answers into the list of what is reported.")
    if wrong := [type(answer).__name__ for answer in answers if not isinstance(answer, Answer)]:
        raise ModelError(f"answers= takes answers, such as fit.effect('treated'); here is a {wrong[0]}.")
    check_prob(prob)
    target = check_target(path, "a report", "report.html")
    chapters = [
        _chapter(name, each, f"r{place}", tuple(answers), prob) for place, (name, each) in enumerate(subjects.items())
    ]
    page = render(title or _title(subjects), chapters, "hiermod report")
    try:
        with replacing(target) as file:
            file.write(page.encode())
    except OSError as error:
        raise StorageError(f"The report could not be written to {target}: {error.strerror or error}.") from error
    return target


def _named(what: Any) -> dict[str, Any]:
    """What is reported, by name.

    Raises
    ------
    ModelError
        If it is nothing, or of another kind.
    """
    if isinstance(what, Mapping):
        subjects = {str(name): each for name, each in what.items()}
    else:
        several = list(what) if isinstance(what, list | tuple) else [what]
        subjects = {}
        for each in several:
            name = _name(each)
            place = sum(own == name or own.startswith(f"{name} (") for own in subjects)
            subjects[name if not place else f"{name} ({place + 1})"] = each
    if not subjects:
        raise ModelError("report() takes fits, answers or comparisons; here is nothing.")
    for name, each in subjects.items():
        if not isinstance(each, Fitted | Answer | ModelComparison):
            raise ModelError(f"report() takes fits, answers and comparisons; {name!r} is a {type(each).__name__}.")
    return subjects


def _name(each: Any) -> str:
    if isinstance(each, Fitted):
        return each.formula
    if isinstance(each, ModelComparison):
        return "Comparison of models"
    return "Answer" if isinstance(each, Answer) else type(each).__name__


def _title(subjects: Mapping[str, Any]) -> str:
    return next(iter(subjects)) if len(subjects) == 1 else f"{len(subjects)} results"


def _chapter(name: str, each: Any, mark: str, answers: tuple[Answer, ...], prob: float) -> Any:
    from hiermod.show.report.of_fit import Subject, chapter_of_fit
    from hiermod.show.report.of_results import chapter_of_answer, chapter_of_comparison

    if isinstance(each, Fitted):
        told = each._told
        subject = Subject(told.posterior, told.defined, tuple(each.notices), answers, prob)
        return chapter_of_fit(subject, name, mark)
    return (chapter_of_answer if isinstance(each, Answer) else chapter_of_comparison)(each, name, mark)
