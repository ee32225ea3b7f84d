"""What the size of data costs: the same models on ten thousand to a hundred million rows, each in its own process.

    make bench-size

Makes Parquet files in a folder (about 200 MB in all; --folder keeps them), times hiermod beside a bare group-by of the
same file and beside polars, and prints tables; --json and --plot write figures and a picture.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZES = {"rates": (10**4, 10**6, 10**8), "slopes": (10**4, 10**6, 10**8), "gaussian": (10**5, 10**7)}
TITLES = {
    "rates": "success ~ treated * device + (1 | country), 200 countries × 2 arms × 3 devices, from Parquet",
    "slopes": "success ~ treated + device + (1 + treated | country), the same data",
    "gaussian": "y ~ x1 + x2 + x3 + x4 + (1 + x1 | g), 1,000 groups, from Parquet",
}
COLUMNS = {
    "rows": "rows", "cells": "cells", "group_by": "bare group-by, s", "model": "rows to model, s",
    "sampling": "sampling alone, s",
    "fit": "first fit, s", "again": "fit again, s", "net": "fit again less group-by, s", "ess": "smallest bulk ESS",
    "peak": "peak memory, MB",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=[*SIZES, *SINGLE], default=[*SIZES, *SINGLE])
    parser.add_argument("--sizes", nargs="+", type=float, help="rows, instead of each job's own")
    parser.add_argument("--folder", type=Path, help="where the files are made, and kept")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--plot", type=Path, help="also draw them here")
    chosen = parser.parse_args()
    print(f"{dt.date.today()}, Python {platform.python_version()}, {platform.machine()}", flush=True)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for job in chosen.jobs:
            sizes = [int(size) for size in chosen.sizes or SIZES.get(job, (0,))]
            results[job] = [run(job, size, folder) for size in sizes]
            print(f"\n{table(job, results[job])}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1))
    if chosen.plot:
        draw(results, chosen.plot)


def run(job: str, rows: int, folder: Path) -> dict[str, float]:
    """One job in a fresh process; it prints its figures as one line of JSON."""
    command = [sys.executable, "-W", "ignore", str(HERE / "data_size_jobs.py"), job, str(rows), str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit(f"{job}: {found.stderr}")
    return json.loads(found.stdout.splitlines()[-1])


def table(job: str, figures: list[dict[str, float]]) -> str:
    """A Markdown table."""
    if job in SINGLE:
        lines = [f"**{SINGLE[job]}**", "", "| | |", "|---|---|"]
        return "\n".join([*lines, *(f"| {name} | {_number(value)} |" for name, value in figures[0].items())])
    lines = [f"**{TITLES[job]}**", "", f"| {' | '.join(COLUMNS.values())} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join(_number(own[name]) for name in COLUMNS)} |" for own in figures]
    nets = [own["net"] for own in figures]
    lines += ["", f"Largest over smallest time less group-by: {max(nets) / min(nets):.2f}"]
    return "\n".join(lines)


def _number(value: float) -> str:
    if isinstance(value, float) and value != int(value):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return f"{int(value):,}"


SINGLE = {
    "counting": "Cells of 10,000,000 pandas rows beside the same group-by in polars",
    "distinct": "1,000,000 rows, no two of them equal: what trying to compress costs",
    "loo": "Leave-one-out of the country experiment: 400 rows, 4 cells, and ArviZ on the rows",
    "many": "1,000,000 binomial cells of 100,000 groups: memory of a short run and its answers",
}


def draw(results: dict[str, Any], path: Path) -> None:
    """Time and memory against rows."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    jobs = [job for job in results if job in SIZES]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for job in jobs:
        rows = [own["rows"] for own in results[job]]
        (line,) = axes[0].plot(rows, [own["again"] for own in results[job]], "o-", label=f"{job}: hm.fit")
        axes[0].plot(rows, [own["group_by"] for own in results[job]], "o--", color=line.get_color(), alpha=0.6,
                     label=f"{job}: bare group-by")  # fmt: skip
        axes[1].plot(rows, [own["peak"] for own in results[job]], "o-", label=job)
    axes[0].set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds")
    axes[1].set(xscale="log", xlabel="rows", ylabel="peak memory, MB", ylim=(0, None))
    for own in axes:
        own.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
