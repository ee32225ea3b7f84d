"""`TextTable`: a table as text, in blocks of columns where a line has no room for all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["key", "words", "number"]
OF_KEYS, OF_WORDS = 12, 24  # characters that such columns have at least, where they have so many


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its texts, and what it holds.

    Keys tell rows apart, and are repeated where columns have no room side by side. Words stand at the left. Both are
    wrapped where there is no room; numbers are not.
    """

    heading: str
    texts: Sequence[str]
    kind: Kind = "number"
    left: bool = False

    @property
    def natural(self) -> int:
        """How wide it is."""
        return max(map(len, [self.heading, *self.texts]))

    @property
    def least(self) -> int:
        """How narrow it can be without cutting a word."""
        if self.kind == "number":
            return self.natural
        longest = max((len(word) for text in (self.heading, *self.texts) for word in text.split()), default=0)
        return min(self.natural, max(longest, OF_KEYS if self.kind == "key" else OF_WORDS))

    def placed(self, text: str, room: int) -> str:
        """A text at its side; what is wrapped begins at the left."""
        left = self.left or self.kind == "words" or room < self.natural
        return text.ljust(room) if left else text.rjust(room)


Widths = dict[int, int]  # of columns, by their places


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Parameters
    ----------
    columns : sequence of Column
        Keys first.
    gap : int
        Blanks between columns.
    breaks : mapping of int to str
        Lines that stand before some of the rows.
    """

    columns: Sequence[Column]
    gap: int = 2
    breaks: Mapping[int, str] = field(default_factory=dict)

    def text(self, room: int | None = None) -> str:
        """The table, as wide as it is, or in lines of so many characters."""
        whole = {place: column.natural for place, column in enumerate(self.columns)}
        if room is None or self._total(whole) <= room:
            return "\n".join(self._block(whole))
        least = {place: column.least for place, column in enumerate(self.columns)}
        for table in (self, replace(self, gap=1)):
            if table._total(least) <= room:  # wrapped words make room for all columns
                return "\n".join(table._block(table._grown(least, room)))
        return "\n\n".join("\n".join(self._block(widths)) for widths in self._blocks(least, room))

    def _total(self, widths: Widths) -> int:
        return sum(widths.values()) + self.gap * (len(widths) - 1)

    def _blocks(self, least: Widths, room: int) -> list[Widths]:
        """The widths of the columns of each block."""
        keys = self._cut({place: least[place] for place in least if self.columns[place].kind == "key"}, room // 2)
        blocks, current = [], dict(keys)
        for place in sorted(least.keys() - keys.keys()):
            own = least[place]
            if self.columns[place].kind == "words":
                own = max(min(own, room - self._total({**keys, place: 0})), 1)
            if len(current) > len(keys) and self._total({**current, place: own}) > room:
                blocks.append(current)
                current = dict(keys)
            current[place] = own
        return [self._grown(block, room) for block in [*blocks, current]]

    def _grown(self, widths: Widths, room: int) -> Widths:
        """Widths with what is left of a line given to those that lack most."""
        widths = dict(widths)
        for _ in range(room - self._total(widths)):
            lack = {place: self.columns[place].natural - own for place, own in widths.items()}
            place = max(lack, key=lambda place: lack[place])
            widths[place] += lack[place] > 0
        return widths

    def _cut(self, widths: Widths, room: int) -> Widths:
        """Widths that fit, the widest ones cut first."""
        widths = dict(widths)
        while widths and self._total(widths) > room and max(widths.values()) > 1:
            widths[max(widths, key=lambda place: widths[place])] -= 1
        return widths

    def _block(self, widths: Widths) -> list[str]:
        lines = self._row({place: self.columns[place].heading for place in widths}, widths)
        for row in range(len(self.columns[0].texts) if self.columns else 0):
            lines += [self.breaks[row]] if row in self.breaks else []
            lines += self._row({place: self.columns[place].texts[row] for place in widths}, widths)
        return lines

    def _row(self, texts: Mapping[int, str], widths: Widths) -> list[str]:
        """The lines of a row: several, where a text is wrapped."""
        parts = {place: _parts(text, widths[place]) for place, text in texts.items()}
        lines = []
        for number in range(max(map(len, parts.values()), default=0)):
            cells = [
                self.columns[place].placed(own[number] if number < len(own) else "", widths[place])
                for place, own in parts.items()
            ]
            lines.append((" " * self.gap).join(cells).rstrip())
        return lines


def _parts(text: str, room: int) -> list[str]:
    if len(text) <= room:
        return [text]
    margin = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(text, room, subsequent_indent=margin, break_on_hyphens=False)
