"""`PaperTable`: tables of one fit or of several beside each other, as Markdown, LaTeX, HTML and great tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from hiermod.errors import AnswerError, visible
from hiermod.show.answer_text import MARKDOWN
from hiermod.show.report.blocks import Cell, Table
from hiermod.show.report.page import render_table
from hiermod.terminal import lines_of, width
from hiermod.text_table import Column, TextTable

PARTS = ("Common effects", "Varying effects", "Smooths", "Shrinkage", "Family", "Fit")


@dataclass(frozen=True, eq=False)
class PaperTable:
    """A table for a paper. Made by `hiermod.table` and by summaries.

    Parameters
    ----------
    frame : pandas.DataFrame
        Texts: ``part``, ``term``, and a column for each model or figure.
    caption : str
    notes : tuple of str
        What stands below it.
    """

    frame: pd.DataFrame
    caption: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        room = width()
        frame = pd.concat([own for _, own in self.frame.groupby("part", sort=False)], ignore_index=True)
        terms = Column("", [f"  {visible(text)}" for text in frame["term"]], "key", left=True)
        figures = [Column(visible(name), [*map(visible, frame[name])]) for name in self._names() if name != "term"]
        breaks = {int(frame.index[frame["part"] == part][0]): str(part) for part in frame["part"].unique()}
        table = TextTable([terms, *figures], breaks=breaks).text(room)
        return "\n".join([table, *(lines_of(visible(note), room) for note in self.notes)])

    def _repr_html_(self) -> str:
        return self.to_html()

    def _names(self) -> list[str]:
        return [str(name) for name in self.frame.columns if name != "part"]

    def to_markdown(self) -> str:
        """The table as Markdown, marks of its own escaped.

        Examples
        --------
        >>> print(fit.summary().to_markdown().splitlines()[0])
        |  | Estimate | Est.Error | l-95% | u-95% | R-hat | Bulk ESS | Tail ESS |
        """
        names = self._names()
        lines = [["", *names[1:]], ["---", *["---:"] * (len(names) - 1)]]
        for part, own in self.frame.groupby("part", sort=False):
            lines.append([f"**{_marked(str(part))}**", *[""] * (len(names) - 1)])
            lines += [[_marked(text) for text in row] for row in own[names].to_numpy()]
        lines[0] = [_marked(text) for text in lines[0]]
        notes = [f"\n{_marked(note)}" for note in self.notes]
        return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), *notes])

    def to_latex(self) -> str:
        r"""The table as a LaTeX tabular with booktabs' rules, by pandas' Styler, special characters escaped.

        Examples
        --------
        >>> print(fit.summary().to_latex().splitlines()[0])
        \begin{tabular}{lrrrrrrr}
        """
        names = self._names()
        rows = []
        for part, own in self.frame.groupby("part", sort=False):
            rows.append([str(part), *[""] * (len(names) - 1)])
            rows += own[names].to_numpy().tolist()
        shown = pd.DataFrame(rows, columns=["", *names[1:]])
        style = shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
        text = str(style.to_latex(hrules=True, column_format="l" + "r" * (len(names) - 1))).strip()
        for part in self.frame["part"].unique():
            over = rf"\multicolumn{{{len(names)}}}{{l}}{{\textbf{{{part}}}}} \\"
            text = text.replace(f"\n{part}{' & ' * (len(names) - 1)} \\\\\n", f"\n{over}\n")
        return text

    def to_html(self) -> str:
        """The table as HTML, by the template of reports, all text escaped.

        Examples
        --------
        >>> fit.summary().to_html().startswith("<table>")
        True
        """
        heads = tuple(("" if name == "term" else name, name != "term") for name in self._names())
        rows: list[tuple[Cell, ...]] = []
        for part, own in self.frame.groupby("part", sort=False):
            rows.append((Cell(str(part), heading=True),))
            rows += [tuple(Cell(visible(text)) for text in row) for row in own[self._names()].to_numpy()]
        caption = " ".join([f"{self.caption}." if self.caption and self.notes else self.caption, *self.notes])
        return render_table(Table(visible(caption), heads, tuple(rows)))

    def gt(self) -> Any:
        """The table as a `great_tables.GT`, to be styled further; needs the package great_tables.

        Raises
        ------
        AnswerError
            If great_tables is not installed.

        Examples
        --------
        >>> fit.summary().gt()  # doctest: +SKIP
        """
        try:
            from great_tables import GT, md
        except ImportError as error:
            raise AnswerError("gt() needs the package great_tables: pip install great-tables.") from error
        made = GT(self.frame, rowname_col="term", groupname_col="part").tab_header(title=md(_marked(self.caption)))
        for note in self.notes:
            made = made.tab_source_note(note)
        return made


def _marked(text: str) -> str:
    return visible(text).translate(MARKDOWN)
