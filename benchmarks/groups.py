"""What the number of groups costs: models whose groups' effects are integrated out, beside lme4 on the same rows.

    make bench-groups                                  # all of it: about an hour, most of it lme4's
    make bench-groups ARGS="--largest 10000"           # small sizes: some minutes
    make bench-groups ARGS="--jobs patterns --no-lme4"

Each fit has a process of its own, lme4's right after hiermod's. CPU seconds are from rows to 4,000 draws: those in
front of the plus sign are of reading and counting the rows (`hm.model`), the others of the fit. Rows are a pandas
frame, or a Parquet file in which DuckDB finds the patterns of groups. lme4 takes nine nodes (nAGQ=9) of one effect a
group, one node of several; gaussian models are `lmer`'s. Memory is what the process grows by while it reads and fits.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

HERE = Path(__file__).resolve().parent
NODES, SLOPES_NODES = 9, 1  # of lme4
CHUNK = 500_000  # groups of a file's part
COLUMNS = ("model", "groups", "rows", "hiermod: model + fit, CPU s", "MB", "ESS", "of squares", "lme4, CPU s", "ratio")
COLOURS = ("#0b6e99", "#b3001b", "#3c7d22", "#7a4fa3", "#c77800", "#5b6770", "#008577", "#5aa9c7", "#e0707f")


@dataclass(frozen=True)
class Job:
    """A model, what its rows look like, and at which numbers of groups it is fitted, by lme4 as well."""

    title: str
    formula: str
    family: str
    sizes: tuple[int, ...]
    beside: tuple[int, ...]
    visits: tuple[int, int] = (10, 10)
    x: str = "arms"  # in turn; "random" arms, or "real" numbers
    exposed: bool = False
    slopes: bool = False
    in_file: bool = False


JOBS = {
    "patterns": Job(
        "bernoulli, 10 visits, two arms in turn", "y ~ x + (1 | g)", "bernoulli",
        (10**4, 5 * 10**4, 10**5, 10**6), (10**4, 5 * 10**4),
    ),
    "unbalanced": Job(
        "bernoulli, 1 to 30 visits, random arms", "y ~ x + (1 | g)", "bernoulli", (10**4, 5 * 10**4, 10**5, 10**6),
        (10**4,), (1, 30), "random",
    ),
    "continuous": Job(
        "bernoulli, continuous x", "y ~ x + (1 | g)", "bernoulli", (10**4, 10**5), (10**4, 10**5), x="real"
    ),
    "exposures": Job(
        "poisson, exposures that differ", "y ~ x + offset(log(e)) + (1 | g)", "poisson", (10**4, 10**5), (10**4, 10**5),
        exposed=True,
    ),
    "gaussian": Job(
        "gaussian, 1 to 50 rows", "y ~ x + (1 | g)", "gaussian", (10**4, 10**5, 10**6), (10**4, 10**5), (1, 50),
        "random",
    ),
    "gaussian_slopes": Job(
        "gaussian, slopes of a continuous x", "y ~ x + (1 + x | g)", "gaussian", (10**4, 10**5), (10**4, 10**5),
        x="real", slopes=True,
    ),
    "two_arms": Job(
        "bernoulli, effects of two arms", "y ~ x + (1 + x | g)", "bernoulli", (10**4, 10**5), (10**4,), slopes=True
    ),
    "stored": Job(
        "bernoulli, 10 visits, from Parquet", "y ~ x + (1 | g)", "bernoulli", (10**5, 10**6, 10**7), (), in_file=True
    ),
    "stored_unbalanced": Job(
        "bernoulli, 1 to 30 visits, from Parquet", "y ~ x + (1 | g)", "bernoulli", (10**5, 10**6), (), (1, 30),
        "random", in_file=True,
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB")
    parser.add_argument("--largest", type=int, default=10**7, help="number of groups, beyond which nothing is fitted")
    parser.add_argument("--largest-lme4", type=int, default=10**7, help="the same of lme4")
    parser.add_argument("--no-lme4", action="store_true", help="hiermod alone")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--plot", type=Path, default=HERE / "groups.png", help="the picture")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(of_hiermod(JOBS[chosen.one[0]], int(chosen.one[1]), Path(chosen.one[2]))))
        return
    print(f"{dt.date.today()}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    results = []
    for name in chosen.jobs:
        for size in (own for own in JOBS[name].sizes if own <= chosen.largest):
            found = measured(name, size, not chosen.no_lme4 and size <= chosen.largest_lme4)
            results.append(found)
            print(row(found), flush=True)
            if chosen.json:
                chosen.json.write_text(json.dumps(results, indent=1))
    draw(results, chosen.plot)


def measured(name: str, size: int, with_lme4: bool) -> dict[str, Any]:
    """One fit, and lme4's of the same rows."""
    job = JOBS[name]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        command = [sys.executable, "-W", "ignore", __file__, "--one", name, str(size), folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found: dict[str, Any] = {"job": name, "groups": size, **json.loads(done.stdout.splitlines()[-1])}
        if with_lme4 and size in job.beside:
            found["lme4"] = of_lme4(job, size, Path(folder))
    return found


def row(found: dict[str, Any]) -> str:
    """A line of the table."""
    total, theirs = found["model"] + found["fit"], found.get("lme4")
    beside = ("", "") if theirs is None else (f"{theirs:,.1f}", f"{total / theirs:.3f}")
    words = (
        JOBS[found["job"]].title, f"{found['groups']:,}", f"{found['rows']:,}",
        f"{found['model']:.2f} + {found['fit']:.2f}", f"{found['megabytes']:,.0f}", f"{found['ess']:,.0f}",
        f"{found['ess_squares']:,.0f}", *beside,
    )  # fmt: skip
    return f"| {' | '.join(words)} |"


def parts_of(job: Job, size: int) -> Iterator[pd.DataFrame]:
    """Rows of groups, some after others; the same whoever asks."""
    rng = np.random.default_rng(20)
    for start in range(0, size, CHUNK):
        count = min(CHUNK, size - start)
        visits = rng.integers(job.visits[0], job.visits[1] + 1, count)
        group = np.repeat(np.arange(count), visits)
        rows = len(group)
        x = {
            "arms": lambda rows=rows: np.arange(rows) % 2, "random": lambda rows=rows: rng.integers(0, 2, rows),
            "real": lambda rows=rows: rng.normal(size=rows),
        }[job.x]()  # fmt: skip
        eta = -0.5 + 0.4 * x + 0.7 * rng.normal(size=count)[group]
        eta = eta + 0.4 * rng.normal(size=count)[group] * x if job.slopes else eta
        frame = pd.DataFrame({"x": x if job.x == "real" else x.astype(np.int8), "g": (start + group).astype(np.int32)})
        if job.exposed:
            frame["e"] = rng.uniform(0.5, 3.0, rows)
            eta = eta + np.log(frame["e"].to_numpy())
        match job.family:
            case "gaussian":
                yield frame.assign(y=eta + rng.normal(size=rows))
            case "poisson":
                yield frame.assign(y=rng.poisson(np.exp(eta)))
            case _:
                yield frame.assign(y=(rng.uniform(size=rows) < expit(eta)).astype(np.int8))


def of_hiermod(job: Job, size: int, folder: Path) -> dict[str, float]:
    """CPU seconds, and what the process grows by."""
    import hiermod as hm

    small = pd.concat(parts_of(job, 1200))
    hm.fit(job.formula, small, job.family, seed=1, progress=False).summary()
    data, rows = in_file(job, size, folder) if job.in_file else in_memory(job, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    model = hm.model(job.formula, data, job.family)
    middle = time.process_time()
    fit = model.fit(seed=1, progress=False)
    end = time.process_time()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ess, squares = effective(fit)
    return {
        "model": middle - start, "fit": end - middle, "megabytes": (after - before) / 1024, "rows": rows,
        "ess": ess, "ess_squares": squares,
    }  # fmt: skip


def effective(fit: Any) -> tuple[float, float]:
    """The least ESS of hyperparameters, and of their squared distances from their means."""
    import arviz_stats as azs

    effects = {effect.name for term in fit._drawn.spec.groups for effect in term.effects}
    draws = fit.posterior[[name for name in fit.posterior.data_vars if name not in effects]]
    least = [min(float(own.min()) for own in azs.ess(each, method="mean").data_vars.values())
             for each in (draws, (draws - draws.mean(("chain", "draw"))) ** 2)]  # fmt: skip
    return least[0], least[1]


def in_memory(job: Job, size: int) -> tuple[pd.DataFrame, int]:
    """Rows as a frame."""
    frame = pd.concat(parts_of(job, size), ignore_index=True)
    return frame, len(frame)


def in_file(job: Job, size: int, folder: Path) -> tuple[str, int]:
    """Rows as a Parquet file, written part by part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, rows, writer = folder / "rows.parquet", 0, None
    for part in parts_of(job, size):
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        rows += len(part)
    assert writer is not None
    writer.close()
    return str(path), rows


def of_lme4(job: Job, size: int, folder: Path) -> float:
    """CPU seconds of lme4 on the same rows."""
    path = folder / "rows.csv"
    in_memory(job, size)[0].to_csv(path, index=False)
    family = {"bernoulli": "binomial"}.get(job.family, job.family)
    nodes = SLOPES_NODES if job.slopes else NODES
    command = ["Rscript", "--vanilla", str(HERE / "groups.R"), str(path), job.formula, family, str(nodes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Seconds and memory over the number of groups."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (seconds, memory) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    for name, colour in zip(JOBS, COLOURS, strict=True):
        own = [found for found in results if found["job"] == name]
        if not own:
            continue
        groups = [found["groups"] for found in own]
        seconds.plot(
            groups, [found["model"] + found["fit"] for found in own], "o-", color=colour, label=JOBS[name].title
        )
        theirs = [found for found in own if "lme4" in found]
        seconds.plot(
            [found["groups"] for found in theirs], [found["lme4"] for found in theirs], "s:", color=colour, mfc="w"
        )
        memory.plot(groups, [max(found["megabytes"], 1.0) for found in own], "o-", color=colour)
    seconds.set(xscale="log", yscale="log", xlabel="groups", ylabel="CPU seconds (squares: lme4)")
    memory.set(xscale="log", yscale="log", xlabel="groups", ylabel="MB beyond the data")
    figure.legend(*seconds.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
