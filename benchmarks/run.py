"""Times hiermod beside its peers on the same job, each in a process of its own, and prints a table.

    make bench

Every program samples 4 chains of 1,000 draws after 1,000 of warm-up on its defaults; lme4 gives a point estimate.
Seconds vary from machine to machine: only the ratios of one run count. Peers that are not installed are left out
and named.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
JOBS = {"country": "country experiment, 400 rows", "cbpp": "cbpp, 56 rows", "sleepstudy": "sleepstudy, 180 rows"}
PEERS = ("hiermod", "bambi", "bambi+nutpie", "lme4")


@dataclass(frozen=True)
class Timing:
    """Seconds of a fresh process, of the first and second fit inside it, and the smallest bulk ESS."""

    process: float
    first: float
    again: float
    ess: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--json", type=Path, help="also write the timings here")
    chosen = parser.parse_args()
    results: dict[str, dict[str, Timing]] = {}
    for job in chosen.jobs:
        results[job] = {}
        for peer in chosen.peers:
            timing = measure(job, peer)
            if timing is None:
                print(f"{peer}: left out on {job}, it is not installed or failed", file=sys.stderr)
            else:
                results[job][peer] = timing
                print(f"{job}, {peer}: {timing.again:.2f} s", file=sys.stderr)
    print(table(results))
    if chosen.json:
        plain = {job: {peer: vars(timing) for peer, timing in peers.items()} for job, peers in results.items()}
        chosen.json.write_text(json.dumps(plain, indent=1))


def measure(job: str, peer: str) -> Timing | None:
    """Run one program on one job in a fresh process; it prints its own timings as one line of JSON."""
    if peer == "lme4":
        if shutil.which("Rscript") is None:
            return None
        command = ["Rscript", str(HERE / "lme4_job.R"), job]
    else:
        command = [sys.executable, "-W", "ignore", str(HERE / "python_job.py"), job, peer]
    start = time.perf_counter()
    run = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    seconds = time.perf_counter() - start
    if run.returncode:
        print(run.stderr.splitlines()[-1] if run.stderr else f"exit {run.returncode}", file=sys.stderr)
        return None
    own = json.loads(run.stdout.splitlines()[-1])
    return Timing(seconds - own["again"], own["first"], own["again"], own.get("ess"))


def table(results: dict[str, dict[str, Timing]]) -> str:
    """A Markdown table, with the ratio of each peer's second fit to hiermod's."""
    lines = [
        f"{dt.date.today()}, Python {platform.python_version()}, {platform.machine()}, {count_cores()} cores",
        "",
        "| job | program | fresh process, s | first fit, s | fit in a running session, s | ratio | smallest bulk ESS |",
        "|---|---|---|---|---|---|---|",
    ]
    for job, peers in results.items():
        ours = peers.get("hiermod")
        for peer, timing in peers.items():
            ratio = f"{timing.again / ours.again:.2g}" if ours else ""
            ess = f"{timing.ess:.0f}" if timing.ess else ""
            numbers = f"{timing.process:.1f} | {timing.first:.2f} | {timing.again:.2f} | {ratio} | {ess}"
            lines.append(f"| {JOBS[job]} | {peer} | {numbers} |")
    return "\n".join(lines)


def count_cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


if __name__ == "__main__":
    main()
