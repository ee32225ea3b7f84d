"""Times hiermod beside its peers on the same jobs, each program in processes of its own, and prints tables.

    make bench

Writes the figures (results.json), the tables (results.md) and a picture (results.png) into --out, where the data and
each process's log are kept too. Programs that are not installed, fail or run out of time are left out and named.
Seconds vary from machine to machine: only the ratios of one run count. What is measured stands in README.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
from jobs import IN_R, JOBS, PEERS, prior_table
from programs import LeftOutError, count_cores, in_r, measure
from report import draw, tables
from sets import write_set

HERE = Path(__file__).parent


def main() -> None:
    chosen = arguments()
    programs_of_r = in_r()
    chosen.out.mkdir(parents=True, exist_ok=True)
    results = earlier(chosen.out) if chosen.resume else {"jobs": {}}
    results["machine"] = machine(programs_of_r)
    for name in chosen.jobs:
        folder = chosen.out / name
        source = prepare(name, folder, "lme4" in programs_of_r)
        found = results["jobs"].setdefault(name, {"source": source, "peers": {}, "left_out": {}})
        for peer in [peer for peer in chosen.peers if peer not in found["peers"]]:
            try:
                if peer in IN_R and peer not in programs_of_r:
                    raise LeftOutError("it is not installed")
                if not JOBS[name].has(peer):
                    raise LeftOutError("it has no such model")
                figures = measure(peer, name, folder, chosen.repeat, chosen.timeout)
                found["peers"][peer] = figures
                found["left_out"].pop(peer, None)
                say(f"{name}, {peer}: {figures['seconds']:.2f} s")
            except LeftOutError as why:
                found["left_out"][peer] = str(why)
                say(f"{name}, {peer}: left out, {why}")
            (chosen.out / "results.json").write_text(json.dumps(results, indent=1))
    (chosen.out / "results.md").write_text(tables(results) + "\n")
    draw(results, chosen.out / "results.png")
    print(tables(results))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PROGRAM",
                        help=", ".join(PEERS))  # fmt: skip
    parser.add_argument("--repeat", type=int, default=5, help="how often hiermod and lme4 are measured (5)")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds that a process may take (1800)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "bench", help="folder (build/bench)")
    parser.add_argument("--resume", action="store_true", help="measure only what the results in --out lack")
    chosen = parser.parse_args()
    chosen.out = chosen.out.resolve()
    return chosen


def earlier(folder: Path) -> dict[str, Any]:
    path = folder / "results.json"
    return json.loads(path.read_text()) if path.exists() else {"jobs": {}}


def prepare(name: str, folder: Path, lme4: bool) -> str:
    """Write a job's rows and priors as the programs read them; return where the rows come from."""
    source = write_set(name, folder, lme4)
    prior_table(JOBS[name], pd.read_csv(folder / "data.csv")).to_csv(folder / "priors.csv", index=False)
    return source


def machine(programs_of_r: dict[str, str]) -> str:
    """The day, the machine, and the version of everything that takes part."""
    versions = {"Python": platform.python_version()}
    for package in ("hiermod", "bambi", "pymc", "nutpie"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    words = ", ".join(f"{name} {number}" for name, number in (versions | programs_of_r).items())
    return f"{dt.date.today()}, {platform.machine()}, {count_cores()} cores; {words}."


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
