"""What ``hiermod compare`` is asked for: one comparison in arguments, or many in a TOML file."""

from __future__ import annotations

import argparse
import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from hiermod.answers.scoring.comparison import ModelComparison
from hiermod.answers.scoring.validation import Design
from hiermod.cli.arguments import TABLES
from hiermod.errors import AnswerError, HiermodError, did_you_mean
from hiermod.sampling.files import replacing
from hiermod.sampling.settings import Settings

OF_DESIGN = tuple(field.name for field in fields(Design))
KINDS: dict[str, type | tuple[type, ...]] = {
    "data": str, "family": str, "draws": int, "method": str, "k": int, "by": (str, list), "stratify": (str, list),
    "group": str, "score": str, "max_refits": int, "seed": int, "models": (dict, list),
}  # fmt: skip
OF_FILE = ("out", "fits")
STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # those that OWASP names, under "CSV Injection"


@dataclass(frozen=True)
class Comparison:
    """One comparison."""

    name: str
    data: str
    models: Mapping[str, str]
    family: str | None
    settings: Settings
    design: Design


@dataclass(frozen=True)
class Batch:
    """All comparisons, the file that the table goes to, and the folder that keeps fits."""

    comparisons: tuple[Comparison, ...]
    out: Path | None
    fits: Path | None


def from_arguments(options: argparse.Namespace) -> Batch:
    """One comparison from the command line.

    Raises
    ------
    AnswerError
        On anything that cannot be meant.
    """
    if len(options.formulas) < 2:
        raise AnswerError("Two formulas at least are compared: hiermod compare DATA FORMULA FORMULA ...")
    given = {name: getattr(options, name) for name in KINDS if getattr(options, name, None) is not None}
    comparison = _comparison("", {**given, "models": options.formulas}, Path())
    return Batch((comparison,), *_files(options.out, options.fits))


def from_file(options: argparse.Namespace) -> Batch:
    """The comparisons of a TOML file; paths in it are relative to the file.

    Keys at the top hold for all comparisons; ``[comparisons.NAME]`` tables have their own.

    Raises
    ------
    AnswerError
        On anything that cannot be read or meant, with its place.
    """
    path = Path(options.data)
    given = [name for name in KINDS if name != "data" and getattr(options, name, None) is not None]
    if options.formulas or given:
        name = f"--{given[0]}" if given else "FORMULA"
        raise AnswerError(f"{name} cannot stand beside {path}: write it there.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise AnswerError(f"{path} is no TOML file of comparisons: its brackets are nested too deep.") from error
    except (ValueError, OSError) as error:  # bytes that are no text, and numbers of thousands of digits, among them
        raise AnswerError(f"{path} is no TOML file: {error}") from error
    named = content.pop("comparisons", None)
    common = {name: value for name, value in content.items() if name not in OF_FILE}
    _refuse_unknown(path, "", content, (*KINDS, *OF_FILE, "comparisons"))
    tables = {"": {}} if named is None else named
    if not isinstance(tables, dict) or not tables or not all(isinstance(table, dict) for table in tables.values()):
        raise AnswerError(f"{path}: comparisons are tables: [comparisons.NAME].")
    comparisons = []
    for name, table in tables.items():
        _refuse_unknown(path, name, table, tuple(KINDS))
        comparisons.append(_comparison(name, {**common, **table}, path.parent))
    out, fits = (getattr(options, name) or _inside(path, name, content.get(name)) for name in OF_FILE)
    return Batch(tuple(comparisons), *_files(out, fits))


def _refuse_unknown(path: Path, name: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            where = f"[comparisons.{name}]" if name else "the top"
            raise AnswerError(f"{path}, {where}: there is no key {key!r}.{did_you_mean(key, known)}")


def _inside(path: Path, key: str, name: Any) -> str | None:
    """What a TOML file may write to: only what is in its own folder, since it may come from somebody else."""
    if name is None:
        return None
    if not isinstance(name, str) or not name or "\0" in name:
        raise AnswerError(f"{path}: {key} = {name!r} names nothing that can be written.")
    target, folder = os.path.realpath(path.parent / name), os.path.realpath(path.parent)
    if target == folder or os.path.commonpath([target, folder]) != folder:
        raise AnswerError(
            f"{path}: {key} = {name!r} is not inside the folder of this file. Name a place inside it, or give "
            f"--{key} on the command line, which may be anywhere."
        )
    return str(path.parent / name)


def _files(out: str | None, fits: str | None) -> tuple[Path | None, Path | None]:
    if out is not None and not out.endswith(TABLES):
        raise AnswerError(f"out = {out!r} does not end in .csv, .json or .md.")
    folder = fits or (f"{out}.fits" if out else None)
    return None if out is None else Path(out), None if folder is None else Path(folder)


def _comparison(name: str, given: Mapping[str, Any], folder: Path) -> Comparison:
    where = f"[comparisons.{name}]: " if name else ""
    for key, value in given.items():
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            raise AnswerError(f"{where}{key} = {value!r} is of the wrong kind.")
    for key in ("data", "models"):
        if key not in given:
            raise AnswerError(f"{where}the key {key!r} is missing.")
    try:
        design = Design(**{key: given[key] for key in OF_DESIGN if key in given})
        settings = Settings(draws=given.get("draws", 1000), seed=given.get("seed"))
    except HiermodError as error:
        raise AnswerError(f"{where}{error}") from error
    data = given["data"] if folder == Path() else str(folder / given["data"])
    return Comparison(name, data, _models(where, given["models"]), given.get("family"), settings, design)


def _models(where: str, given: Any) -> dict[str, str]:
    """Formulas by name; ``name=formula`` in a list, as the first ``~`` comes after the first ``=``."""
    pairs = list(given.items()) if isinstance(given, dict) else [_named(where, text) for text in given]
    for name, formula in pairs:
        if not isinstance(formula, str):
            raise AnswerError(f"{where}the model {name!r} is {formula!r}; a formula in quotes is needed.")
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise AnswerError(f"{where}two models are called {twice!r}. Name them: name=formula.")
    if len(pairs) < 2:
        raise AnswerError(f"{where}two models at least are compared.")
    return dict(pairs)


def _named(where: str, text: Any) -> tuple[str, str]:
    if not isinstance(text, str):
        raise AnswerError(f"{where}{text!r} is no formula in quotes.")
    name, equals, formula = text.partition("=")
    plain = name.strip() and not set(name) & set("~|()`")
    return (name.strip(), formula.strip()) if equals and plain else (text, text)


COLUMNS = ("rank", "elpd", "se", "p", "elpd_diff", "dse", "p_worse", "weight", "verdict")
CONVERGED = "converged"


def with_failures(
    result: ModelComparison | None, failed: Mapping[str, str], troubles: Mapping[str, str]
) -> pd.DataFrame:  # fmt: skip
    """The rows of one comparison; models that could not be fitted stand last, and their verdict says why.

    `troubles` says of each model that was fitted why it has not converged, if so.
    """
    rows = (
        []
        if result is None
        else [
            {"model": name, **row, CONVERGED: not troubles.get(str(name))}
            for name, row in result.table[list(COLUMNS)].to_dict("index").items()
        ]
    )
    rows += [{"model": name, "verdict": f"not compared: {why.splitlines()[0]}"} for name, why in failed.items()]
    table = pd.DataFrame(rows, columns=["model", *COLUMNS, CONVERGED])
    return table.astype({"rank": "Int64", CONVERGED: "boolean"})


def write_tables(path: Path, tables: Mapping[str, pd.DataFrame], cautions: Mapping[str, str]) -> None:
    """Write all comparisons to one file.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched.
    """
    many = len(tables) > 1 or "" not in tables
    if path.suffix == ".json":
        text = (
            json.dumps([_as_json(name, table, cautions.get(name, "")) for name, table in tables.items()], indent=2)
            + "\n"
        )
    elif path.suffix == ".csv":
        parts = [table.assign(comparison=name, caution=cautions.get(name, "")) for name, table in tables.items()]
        columns = [*(["comparison"] if many else []), *parts[0].columns.drop("comparison")]
        text = pd.concat(parts)[columns].map(_no_formula).to_csv(index=False)
    else:
        text = "\n".join(_as_markdown(name, table, cautions.get(name, "")) for name, table in tables.items())
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def _no_formula(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe, which it takes for the sign of text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(STARTS_OF_FORMULAS) else value


def _as_json(name: str, table: pd.DataFrame, caution: str) -> dict[str, Any]:
    models = [{key: plain(value) for key, value in row.items()} for row in table.to_dict("records")]
    return {"comparison": name, "caution": caution, "models": models}


def plain(value: Any) -> Any:
    """A value as JSON has it; None for what is missing or infinite."""
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _as_markdown(name: str, table: pd.DataFrame, caution: str) -> str:
    def cell(value: Any) -> str:
        value = plain(value)
        text = "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
        return text.replace("|", "\\|")

    lines = [f"## {name}", ""] if name else []
    lines += [f"| {' | '.join(table.columns)} |", "|" + " --- |" * len(table.columns)]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in table.itertuples(index=False)]
    return "\n".join([*lines, *(["", caution] if caution else []), ""])
