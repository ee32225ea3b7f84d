"""What a page says about an answer by itself, and about compared models."""

from __future__ import annotations

from functools import partial

from hiermod.answers.answer import Answer
from hiermod.answers.scoring.comparison import NAMES, SMALL, ModelComparison
from hiermod.errors import visible
from hiermod.show.answer_plots import plot_answer
from hiermod.show.comparison_plot import plot_comparison
from hiermod.show.report.blocks import (
    Block,
    Chapter,
    Listing,
    Paragraph,
    Section,
    columns_of,
    table_of_answer,
    table_of_frame,
)
from hiermod.show.report.of_fit import asked_of, remarks
from hiermod.show.report.svg import picture

SHOWN = ("elpd", "se", "p", "elpd_diff", "dse", "weight", "verdict")


def chapter_of_answer(answer: Answer, title: str, mark: str) -> Chapter:
    """An answer: its sentences, picture and table."""
    own = asked_of(answer)
    blocks: list[Block] = [Listing(own.sentences, "answer")] if own.sentences else []
    blocks.append(picture(partial(plot_answer, answer), own.title, mark))
    blocks += remarks(answer)
    blocks.append(table_of_answer(answer, f"{own.title}: {100 * answer.question.prob:.4g} % intervals."))
    return Chapter(title, (Section(own.title, tuple(blocks)),))


def chapter_of_comparison(found: ModelComparison, title: str, mark: str) -> Chapter:
    """Compared models: what the table can bear in words, the differences as a picture, the table."""
    words = [visible(f"{name}: {verdict}.") for name, verdict in found.table["verdict"].items()]
    blocks: list[Block] = [Listing(tuple(words), "answer")]
    if found.caution:
        blocks.append(Paragraph(visible(found.caution), "warning"))
    description = f"Differences of expected log predictive density ({NAMES[found.method]})"
    blocks.append(picture(partial(plot_comparison, found), description, mark))
    caption = (
        f"{description}, with standard errors; differences below {SMALL:.0f} say that models predict alike. Weights "
        "are those of stacking."
    )
    blocks.append(table_of_frame(columns_of(found.table, SHOWN), caption))
    return Chapter(title, (Section("Which model predicts best?", tuple(blocks)),))
