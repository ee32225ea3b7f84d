"""What a text column means: numbers, numbers with missing markers, formatted numbers, or labels; and what to do then.

This is the one place that decides. Each role of a column asks it: responses, counts, weights, offsets and what is
calculated with must be numbers; predictors and groups may be labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd

from hiermod.errors import DataError, enumerate_names

Sort = Literal["number", "formatted", "marker", "word"]
Meaning = Literal["numbers", "gaps", "formatted", "stained", "labels"]
AGGREGATED = "aggregated"  # names the index of rows that stand for many, which says for how many
SIGNS = frozenset({
    "", "-", "--", "---", "–", "—", "?", "??", "???", ".", "..", "...", "*", "#n/a", "#n/a n/a", "#na", "#null!",
    "#value!", "#div/0!", "#name?", "#ref!", "#num!", "<na>", "n/a", "na", "n.a.", "n.a", "nan", "-nan", "null",
    "(null)", "\\n", "missing", "(missing)", "not available",
})  # fmt: skip
NOTHING = frozenset({"none", "nil", "(none)"})  # missing among numbers, and an outcome or a level among labels
MARKERS = SIGNS | NOTHING | {"unknown", "unk", "n.d.", "nd"}
FEW, TENTH = 20, 0.1  # more numbers than that, and fewer other texts among them, are numbers with faults
MANY = 50  # a predictor of more levels is told; more numbers, written as text, are no levels
SHOWN = 3
LOOKED_AT = 10_000
LISTED = 8  # na_values of a file

CURRENCIES = "$€£¥₹₽₩₺₫฿"
SPACES = "\u0020\u00a0\u2009\u202f\t"
APOSTROPHES = "'’"
PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
CODE = re.compile(r"[+-]?0[0-9]+")  # written like a code: 01234
BODY = (
    rf"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[0-9]*,[0-9]+|[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?"
    rf"|[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+(?:,[0-9]+)?|[1-9][0-9]{{0,2}}(?:[{APOSTROPHES}{SPACES}][0-9]{{3}})+(?:[.,][0-9]+)?)"
    r"(?:[eE][+-]?[0-9]+)?"
)
NUMBER = re.compile(
    rf"[{SPACES}]*+(?:[+\-−][{SPACES}]*+(?:[{CURRENCIES}][{SPACES}]*+)?|[{CURRENCIES}][{SPACES}]*+(?:[+\-−][{SPACES}]*+)?)?"
    rf"{BODY}[{SPACES}]*+(?:[{CURRENCIES}%‰][{SPACES}]*+)?"
)
DRESS = re.compile(f"[{CURRENCIES}%‰{SPACES}{APOSTROPHES}]")
ENGLISH = re.compile(r"[+\-−]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
CONTINENTAL = re.compile(r"[+\-−]?([0-9]*,[0-9]+|[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]+)?)([eE][+-]?[0-9]+)?")


def row_name(index: pd.Index, place: int) -> str:
    """What a row of the data is called in messages."""
    return "a row that is not numbered here" if index.name == AGGREGATED else f"row {index[place]}"


def sort_of(value: Any) -> Sort:
    """Whether one value is a plain number, a number that is formatted, a marker of a missing value, or a word."""
    if not isinstance(value, str):
        return "word" if isinstance(value, bool) or not isinstance(value, Real) else "number"
    if PLAIN.fullmatch(value):
        return "number"
    if value.strip().casefold() in MARKERS:
        return "marker"
    return "formatted" if NUMBER.fullmatch(value) else "word"


@dataclass(frozen=True, eq=False)
class Texts:
    """The distinct values of a column of text, or of text among numbers, and where they stand.

    Parameters
    ----------
    name : str
    distinct : list
        In the order of their first rows.
    counts : ndarray, optional
        How many rows hold each; None where that is not known.
    rows : pandas.Index, optional
        The first row of each; None where rows are not numbered.
    encoded : bool
        Whether they are categories.
    """

    name: str
    distinct: list[Any]
    counts: np.ndarray | None = None
    rows: pd.Index | None = None
    encoded: bool = False

    @classmethod
    def of(cls, name: str, values: pd.Series) -> Texts:
        """Those of a column; missing values are left out."""
        encoded = isinstance(values.dtype, pd.CategoricalDtype)
        codes, distinct = pd.factorize(values.astype(object))
        present = np.flatnonzero(codes >= 0)
        if values.index.name == AGGREGATED:
            rows = np.bincount(codes[present], values.index[present], len(distinct)).astype(np.int64)
            return cls(name, list(distinct), rows, encoded=encoded)
        first = present[np.unique(codes[present], return_index=True)[1]]
        counts = np.bincount(codes[present], minlength=len(distinct))
        return cls(name, list(distinct), counts, values.index[first], encoded)

    @cached_property
    def sorts(self) -> np.ndarray:
        """The sort of each distinct value."""
        return np.array([sort_of(value) for value in self.distinct], dtype=object)

    def of_sort(self, *sorts: Sort) -> list[Any]:
        """The distinct values of some sorts."""
        return [value for value, sort in zip(self.distinct, self.sorts, strict=True) if sort in sorts]

    @cached_property
    def meaning(self) -> Meaning:
        """What the column means.

        ``numbers``; ``gaps``, numbers and markers of missing values; ``formatted`` numbers, among which there may be
        such markers; ``stained``, many numbers with a few words among them; or ``labels``.
        """
        numbers, words = self.of_sort("number", "formatted"), self.of_sort("word")
        if not numbers:
            return "labels"
        if words:
            fractions = sum("." in str(number) for number in numbers)
            many = len(numbers) > FEW or fractions > FEW // 2
            return "stained" if many and len(words) <= TENTH * len(numbers) else "labels"
        if self.of_sort("formatted"):
            return "formatted"
        return "gaps" if self.of_sort("marker") else "numbers"

    @property
    def wide(self) -> bool:
        """Whether they are more numbers than levels are, none of them written like a code."""
        if self.meaning != "numbers" or len(self.distinct) <= MANY:
            return False
        return not any(isinstance(value, str) and CODE.fullmatch(value) for value in self.distinct)

    @property
    def signs(self) -> list[Any]:
        """The values that are nothing but signs of missing ones, whatever the others are."""
        return [value for value in self.distinct if isinstance(value, str) and value.strip().casefold() in SIGNS]

    @property
    def markers(self) -> list[Any]:
        """The values that are markers of missing ones where the others are numbers."""
        return [value for value in self.distinct if isinstance(value, str) and value.strip().casefold() in MARKERS]

    @property
    def naming(self) -> str:
        """How markers become levels of their own, which are read as such."""
        names = {marker: f"level {marker}".strip() for marker in self.markers}
        return f"data[{self.name!r}] = data[{self.name!r}].replace({names!r})"

    @property
    def no_outcomes(self) -> list[Any]:
        """The markers that are no outcome either: they would count as failures, and `none` might be one."""
        among_numbers = self.meaning in ("gaps", "formatted", "stained")
        return [value for value in self.markers if among_numbers or value.strip().casefold() not in NOTHING]

    def rows_of(self, values: list[Any]) -> str:
        """How many rows hold some of the values, in words; nothing where that is not known."""
        if self.counts is None:
            return ""
        count = int(sum(number for value, number in zip(self.distinct, self.counts, strict=True) if value in values))
        return f" ({count:,} row{'s' * (count > 1)})"

    def refuse_as_numbers(self, what: str, why: str = "", instead: str = "") -> NoReturn:
        """Refuse a column that must hold numbers: name what stops it from that, how often, where, and what to do.

        Raises
        ------
        DataError
            Beginning with `what`, such as "The column 'x'"; `why` stands behind what it holds, `instead` says what to
            do with labels.
        """
        if self.meaning == "labels":
            raise DataError(f"{what} holds text ({enumerate_names(sorted(map(str, self.distinct)), 4)}){why}.{instead}")
        raise DataError(f"{what} holds text{why}. {self.findings} {self.remedy}")

    def refuse_as_labels(self, what: str, otherwise: str) -> NoReturn:
        """Refuse a column whose levels would be numbers; `otherwise` says what to do if they are labels all the same.

        Raises
        ------
        DataError
        """
        raise DataError(f"{what} holds text that reads as numbers. {self.findings} {self.remedy} {otherwise}")

    @property
    def findings(self) -> str:
        """The values that stop the column from being numeric, how many they are, and where they stand."""
        text = [place for place, value in enumerate(self.distinct) if isinstance(value, str)]
        if self.meaning == "numbers" and len(text) < len(self.distinct):
            return f"Text that reads as numbers stands among numbers: {', '.join(map(self._where, text[:SHOWN]))}."
        if self.meaning == "numbers":
            return f"All values are numbers written as text ({enumerate_names(self.distinct, SHOWN)})."
        culprits = np.flatnonzero(self.sorts != "number")
        found = "Some values are no plain numbers"
        if self.counts is not None:
            culprits = culprits[np.argsort(-self.counts[culprits], kind="stable")]
            count = int(self.counts[culprits].sum())
            are = "are no plain numbers" if count > 1 else "is no plain number"
            found = f"{count:,} of {self.counts.sum():,} values {are}"
        shown = ", ".join(self._where(place) for place in culprits[:SHOWN])
        rest = f" and {len(culprits) - SHOWN:,} more" if len(culprits) > SHOWN else ""
        return f"{found}: {shown}{rest}."

    def _where(self, place: int) -> str:
        if self.counts is None:
            return repr(self.distinct[place])
        count = int(self.counts[place])
        row = "" if self.rows is None else row_name(self.rows, place)
        several = f"{count:,} rows{f', the first is {row}' if row else ''}"
        return f"{self.distinct[place]!r} ({several if count > 1 or not row else row})"

    @property
    def remedy(self) -> str:
        """How the column becomes numbers, in pandas, in polars, and where a CSV file is read."""
        others = self.of_sort("marker", "word")
        dress = dress_of(self.of_sort("formatted"), [str(number) for number in self.of_sort("number")])
        hidden = [
            other for other in self.of_sort("word") if dress.steps and PLAIN.fullmatch(dress.taken_off(str(other)))
        ]
        if dress.contradicts or hidden:
            return f"{dress.contradicts or f'What {hidden[0]!r} means cannot be told.'} Correct them first."
        ways = [self._in_pandas(dress, bool(others)), self._in_polars(dress), _in_file(dress, others)]
        intro = "Make them numbers"
        if others:
            intro = (
                f"If {enumerate_names(others, SHOWN)} stand{'s' * (len(others) == 1)} for missing values, make them so"
            )
        return f"{intro}: {', or '.join(way for way in ways if way)}.{dress.remark}"

    def gaps_remedy(self, values: list[Any]) -> str:
        """How values that mean missing ones become missing in a column of labels."""
        column, signs = f"data[{self.name!r}]", values
        return (
            f"{column} = {column}.mask({column}.isin({signs!r})), or data = data.with_columns(polars.col({self.name!r})"
            f".replace({signs!r}, None)){f', or {file}' if (file := _in_file(Dress(reading=()), signs)) else ''}"
        )

    def _in_pandas(self, dress: Dress, coerce: bool) -> str:
        column = f"data[{self.name!r}]"
        mixed = self.encoded or not all(isinstance(value, str) for value in self.distinct)
        text = column + (".map(str, na_action='ignore')" if mixed and dress.steps else "")
        text += "".join(f".str.replace({pattern!r}, {by!r}, regex=True)" for pattern, by in dress.steps)
        return f"{column} = pandas.to_numeric({text}{', errors=' + repr('coerce') if coerce else ''})"

    def _in_polars(self, dress: Dress) -> str:
        text = ".cast(polars.String)" if self.encoded else ""
        text += "".join(f".str.replace_all({pattern!r}, {by!r})" for pattern, by in dress.steps)
        return f"data = data.with_columns(polars.col({self.name!r}){text}.cast(polars.Float64, strict=False))"


def _in_file(dress: Dress, others: list[Any]) -> str:
    if dress.reading is None or len(others) > LISTED:
        return ""
    options = [*dress.reading, *([f"na_values={list(map(str, others))!r}"] if others else [])]
    return f"pandas.read_csv(path, {', '.join(options)})" if options else ""


@dataclass(frozen=True)
class Dress:
    """What makes numbers formatted ones: patterns to be replaced in order, and options with which pandas reads a file.

    `remark` says what that takes for granted; `contradicts` why it cannot be done.
    """

    steps: tuple[tuple[str, str], ...] = ()
    reading: tuple[str, ...] | None = None
    remark: str = ""
    contradicts: str = ""

    def taken_off(self, text: str) -> str:
        """A text without it."""
        for pattern, by in self.steps:
            text = re.sub(pattern, by, text)
        return text


def dress_of(texts: list[str], plain: list[str]) -> Dress:
    """How formatted numbers are written, beside plain ones."""
    if not texts:
        return Dress(reading=())
    bare = [DRESS.sub("", text) for text in texts]
    english = [text for text in bare if ENGLISH.fullmatch(text)]
    decimal = [text for text in bare if CONTINENTAL.fullmatch(text) and not ENGLISH.fullmatch(text)]
    decimal = [text for text in decimal if "," in text or text.count(".") > 1]
    sure = [text for text in english if "." in text or text.count(",") > 1]
    points = [text for text in [*plain, *bare] if "," not in text and "." in text]
    thousands = [text for text in [*points, *decimal] if "." in text and CONTINENTAL.fullmatch(text)]
    if decimal and sure:
        return Dress(contradicts=f"A comma separates decimals in {decimal[0]!r}, and thousands in {sure[0]!r}.")
    if decimal and (others := [text for text in points if text not in thousands]):
        return Dress(contradicts=f"A comma separates decimals in {decimal[0]!r}, and a point in {others[0]!r}.")
    if contradicts := _units_differ(texts, plain):
        return Dress(contradicts=contradicts)
    away = "".join(sign for sign in f"{CURRENCIES}%‰{SPACES}{APOSTROPHES}" if any(sign in text for text in texts))
    away += "." if decimal and thousands else "," if english and not decimal else ""
    steps = [(f"[{away}]", "")] if away else []
    steps += [(",", ".")] if decimal else []
    minus = any("−" in text for text in bare)
    steps += [("−", "-")] if minus else []
    options = ("decimal=','", *(["thousands='.'"] if "." in away else [])) if decimal else ("thousands=','",)
    reading = options if not minus and set(away) <= {",", "."} else None
    return Dress(tuple(steps), reading, _taken_for_granted(texts, english if not sure else [], decimal))


def _units_differ(texts: list[str], plain: list[str]) -> str:
    """Why a sign that is taken away would not mean the same everywhere."""
    for units in (*CURRENCIES, "%", "‰"):
        having = [text for text in texts if units in text]
        if not having:
            continue
        lacking = [text for text in [*texts, *plain] if units not in text and PLAIN.sub("", text) != text]
        lacking = [text for text in lacking if float(PLAIN.search(text)[0]) != 0.0]  # type: ignore[index]
        if lacking and (units in "%‰" or any(other in text for text in lacking for other in CURRENCIES)):
            return f"{having[0]!r} and {lacking[0]!r} are in different units."
    return ""


def _taken_for_granted(texts: list[str], english: list[str], decimal: list[str]) -> str:
    said = []
    percent = next((text for text in texts if "%" in text), None)
    if percent is not None:
        said.append(f"{percent!r} becomes {DRESS.sub('', percent)}, in percent.")
    if decimal:
        said.append(f"A comma separates decimals then, as in {decimal[0]!r}.")
    elif english:
        said.append(f"A comma separates thousands then, as in {english[0]!r}.")
    return "".join(f" {sentence}" for sentence in said)


def sign_notices(texts: Texts) -> list[str]:
    """Say which levels look like signs of missing values."""
    if not (signs := texts.signs):
        return []
    which = f"{enumerate_names(signs, SHOWN)}{texts.rows_of(signs)}"
    return [f"{texts.name}: {which} taken as a level; if it means missing, {texts.gaps_remedy(signs)}"]


def alike_notices(texts: Texts) -> list[str]:
    """Say which labels differ in blanks alone, or are the same number, of the first ten thousand."""
    seen: dict[str | Decimal, str] = {}
    alike = []
    blanks = True
    for value in texts.distinct[:LOOKED_AT]:
        if isinstance(value, str):
            bare = value.strip()
            other = seen.setdefault(Decimal(bare) if PLAIN.fullmatch(bare) else bare, value)
            alike += [f"{other!r} and {value!r}"] if other != value else []
            blanks &= other.strip() == bare
    if not alike:
        return []
    more = f" (and {len(alike) - 1:,} more pairs)" if len(alike) > 1 else ""
    how = f", without blanks at the ends, as pandas' data[{texts.name!r}].str.strip() makes them" if blanks else ""
    return [f"{texts.name}: {alike[0]}{more} are levels of their own; if they mean the same, write them the same{how}"]
