"""The arguments of each command, and what they may be; nothing here needs more than the standard library."""

from __future__ import annotations

import argparse
import contextlib
import os
from typing import Any

from hiermod.choices import GOALS, GROUPS, METHODS, POOLINGS, SCALES, SCORES
from hiermod.families.names import LINKS
from hiermod.version import __version__

DATA = "a CSV or Parquet file, a folder of Parquet files, or a pattern such as 'trials/*.csv'"
DEMO_SEED = 1
TABLES = (".csv", ".json", ".md")
ANSWERS = (".json", ".txt")
PAGES = (".html", ".htm")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"hiermod {__version__}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``hiermod``; `refuse` in what it returns ends the run as argparse does."""
    parser = argparse.ArgumentParser(
        prog="hiermod",
        description="From an lme4 formula to a Bayesian multilevel model and an answer in plain words.",
        epilog="exit codes: 0 done, 1 could not fit, 2 bad arguments, 3 not converged (with --strict)",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_fit(commands)
    _add_compare(commands)
    _add_explain(commands)
    _add_report(commands)
    _add_warmup(commands)
    return parser


def _add_demo(commands: Any) -> None:
    about = "fit the two worked examples on shipped data, print their answers, draw their plots"
    demo = commands.add_parser("demo", help=about, description=about)
    demo.add_argument("--out", metavar="FOLDER", default="hiermod-demo", help="where plots go (%(default)s)")
    demo.add_argument("--seed", type=_seed, default=DEMO_SEED, metavar="N", help="seed (%(default)s)")
    _add_strict(demo)
    _add_progress(demo)
    demo.set_defaults(command="demo", refuse=demo.error)


def _add_fit(commands: Any) -> None:
    fit = commands.add_parser(
        "fit",
        help="fit a formula to CSV or Parquet files and print the answers",
        description="Fit a formula to files; print the summary, rates (--by) and effects (--effect).",
        epilog="example: hiermod fit trial.csv 'success ~ treated + (1 + treated | country)' "
        "--effect treated --by country --save trial.nc",
    )
    fit.add_argument("data", metavar="DATA", type=_data_path, help=DATA)
    fit.add_argument("formula", metavar="FORMULA", help="as in lme4, in quotes")
    fit.add_argument("--family", metavar="F", help=f"{', '.join(LINKS)}; else inferred")
    fit.add_argument("--pooling", choices=POOLINGS, default="normal", help="(%(default)s)")
    fit.add_argument("--by", type=_columns, metavar="COL[,COL]", help="rates, and effects, for each level")
    fit.add_argument("--effect", metavar="VAR", help="the variable whose levels are compared")
    fit.add_argument("--control", metavar="LEVEL", help="the level to compare with (the first one)")
    fit.add_argument("--scale", choices=SCALES, help="of the effect (difference)")
    fit.add_argument("--goal", choices=GOALS, help="min where lower is better (max)")
    fit.add_argument("--groups", choices=GROUPS, default="observed", help="whose rates (%(default)s)")
    _add_outcome(fit)
    fit.add_argument("--prob", type=_prob, default=0.95, metavar="P", help="of the intervals (%(default)s)")
    fit.add_argument("--draws", type=_count, default=1000, metavar="N", help="of each chain (%(default)s)")
    fit.add_argument("--seed", type=_seed, metavar="N", help="the same seed gives the same draws")
    fit.add_argument("--save", type=_new_file, metavar="FILE.nc", help="store the fit, for hiermod.load")
    fit.add_argument("--json", action="store_true", help="print all answers as one JSON object")
    fit.add_argument("--out", type=_new_answers, metavar="FILE", help="write the answers: .json, or .txt as printed")
    fit.add_argument("--report", type=_new_page, metavar="FILE.html", help="write a page with answers, plots, checks")
    _add_strict(fit)
    _add_progress(fit)
    fit.set_defaults(command="fit", refuse=fit.error)


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="fit several formulas to the same rows and say which one predicts best",
        description="Compare formulas by cross-validation, or all comparisons that a TOML file names. Finished fits "
        "and folds are kept in a folder beside --out: a run that failed or was interrupted goes on where it was.",
        epilog="example: hiermod compare trial.csv 'success ~ treated' 'success ~ treated + (1 | country)' "
        "--seed 1 --out table.csv",
    )
    compare.add_argument("data", metavar="DATA", type=_data_or_toml, help=f"{DATA}; or a file.toml of comparisons")
    compare.add_argument("formulas", metavar="FORMULA", nargs="*", help="as in lme4, in quotes; name=formula names it")
    compare.add_argument("--family", metavar="F", help=f"{', '.join(LINKS)}; else inferred")
    compare.add_argument("--method", choices=METHODS, help="what is left out: a row (the default), a "
                         "fold, a group")  # fmt: skip
    compare.add_argument("--k", type=_count, metavar="N", help="folds (10)")
    compare.add_argument("--by", type=_columns, metavar="COL[,COL]", help="folds keep these groups whole")
    compare.add_argument("--stratify", type=_columns, metavar="COL[,COL]", help="folds share these values evenly")
    compare.add_argument("--group", metavar="COL", help="the groups that logo leaves out")
    compare.add_argument("--score", choices=SCORES, help="of a group's rows together (the default) or each")
    compare.add_argument("--draws", type=_count, metavar="N", help="of each chain (1000)")
    compare.add_argument("--seed", type=_seed, metavar="N", help="the same seed gives the same table")
    compare.add_argument("--out", metavar="FILE", type=_new_table, help="write the table: .csv, .json or .md")
    compare.add_argument("--fits", metavar="FOLDER", help="where fits and folds are kept (FILE.fits beside --out)")
    _add_strict(compare)
    _add_progress(compare)
    compare.set_defaults(command="compare", refuse=compare.error)


def _add_explain(commands: Any) -> None:
    about = "say in words what a formula means, without sampling"
    explain = commands.add_parser("explain", help=about, description=about)
    explain.add_argument("formula", metavar="FORMULA", help="as in lme4, quoted")
    explain.add_argument("data", metavar="DATA", nargs="?", type=_data_path, help=DATA)
    explain.add_argument("--family", metavar="F", help="otherwise inferred from the response")
    explain.set_defaults(command="explain", refuse=explain.error)


def _add_report(commands: Any) -> None:
    about = "write one self-contained page about stored fits: answers, tables, plots, checks, the model"
    report = commands.add_parser(
        "report", help=about, description=about, epilog="example: hiermod report trial.nc trial.html --effect treated",
    )  # fmt: skip
    report.add_argument("fits", metavar="FIT.nc", nargs="+", help="stored by hiermod fit --save or fit.save()")
    report.add_argument("page", metavar="PAGE.html", type=_new_page, help="where the page is written")
    report.add_argument("--title", metavar="TEXT", help="of the page (the formula)")
    report.add_argument("--effect", metavar="VAR", help="the variable whose levels are compared (each with few levels)")
    report.add_argument("--by", type=_columns, metavar="COL[,COL]", help="effects for each level")
    _add_outcome(report)
    report.add_argument("--prob", type=_prob, default=0.95, metavar="P", help="of the intervals (%(default)s)")
    report.set_defaults(command="report", refuse=report.error)


def _add_warmup(commands: Any) -> None:
    about = "compile the engine ahead, which the first fit on a machine does otherwise"
    warmup = commands.add_parser("warmup", help=about, description=about)
    warmup.set_defaults(command="warmup", refuse=warmup.error)


def _add_outcome(command: argparse.ArgumentParser) -> None:
    command.add_argument("--outcome", metavar="WHAT", help="of the response: median, q90, '>=4', a category (mean)")
    command.add_argument("--parameter", metavar="P", help="in its place, a parameter of the formula: sigma, zi")


def _add_strict(command: argparse.ArgumentParser) -> None:
    command.add_argument("--strict", action="store_true", help="end with exit code 3 if a fit has not converged")


def _add_progress(command: argparse.ArgumentParser) -> None:
    command.add_argument("--no-progress", action="store_true", help="no progress bar")


def _prob(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1, such as 0.95")


def _count(text: str, least: int = 1) -> int:
    with contextlib.suppress(ValueError):
        if least <= int(text) < 2**63:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on, below 2^63")


def _seed(text: str) -> int:
    return _count(text, least=0)


def _columns(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} names no column between two commas")
    return names


def _data_path(text: str) -> str:
    from hiermod.data.sources.paths import find_files  # loads DuckDB, which no other argument needs
    from hiermod.errors import DataError

    try:
        find_files(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)[:1].lower() + str(error)[1:]) from error
    return text


def _data_or_toml(text: str) -> str:
    if not text.endswith(".toml"):
        return _data_path(text)
    if not os.path.isfile(text):
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return text


def _new_table(text: str) -> str:
    if not text.endswith(TABLES):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .csv, .json or .md")
    return _in_folder(text)


def _new_answers(text: str) -> str:
    if not text.endswith(ANSWERS):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .json or .txt")
    return _in_folder(text)


def _new_page(text: str) -> str:
    if not text.endswith(PAGES):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .html")
    return _in_folder(text)


def _new_file(text: str) -> str:
    if not text.endswith(".nc"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .nc")
    return _in_folder(text)


def _in_folder(text: str) -> str:
    folder = os.path.dirname(text) or "."
    if not os.path.isdir(folder):
        raise argparse.ArgumentTypeError(f"there is no folder {folder!r}")
    return text
