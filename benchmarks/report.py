"""Figures of a run of the benchmarks as Markdown tables and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs import JOBS, PEERS

HEADER = (
    "program", "fresh process, s", "model to draws, s", "× hiermod's", "sampling alone, s", "smallest bulk ESS",
    "largest R-hat", "divergences", "ESS/s", "hiermod's ESS/s over it",
)  # fmt: skip
COLOURS = dict(zip(PEERS, ("#0072B2", "#D55E00", "#E69F00", "#000000", "#009E73", "#CC79A7"), strict=True))


def tables(results: dict[str, Any]) -> str:
    """A table for each job, under the machine that it ran on."""
    parts = [results["machine"]]
    for name, found in results["jobs"].items():
        job = JOBS[name]
        title = f"**{job.title}**{', simulated' if found['source'] == 'simulated' else ''}: `{job.formula()}`"
        rule = "|" + "---|" * len(HEADER)
        ours = found["peers"].get("hiermod")
        rows = [_row(name, peer, found["peers"][peer], ours) for peer in PEERS if peer in found["peers"]]
        parts.append("\n".join([title, "", _line(HEADER), rule, *rows]))
        parts += [f"Left out: {peer}, {why}." for peer, why in found["left_out"].items()]
    return "\n\n".join(parts)


def _row(job: str, peer: str, own: dict[str, Any], ours: dict[str, Any] | None) -> str:
    mark = "" if JOBS[job].is_equal(peer) else " (independent effects)"
    if own["fits"] == 1 and own["seconds"] == own["first"]:
        mark += " (first fit)"
    ratio = _short(own["seconds"] / ours["seconds"], 2) if ours else ""
    row = [peer + mark, _short(own["fresh"]), _short(own["seconds"]), ratio]
    if "ess" not in own:
        return _line([*row, *[""] * 6])
    better = _short(ours["ess_per_second"] / own["ess_per_second"], 2) if ours else ""
    quality = [f"{own['ess']:,.0f}", f"{own['rhat']:.3f}", str(own["divergences"])]
    return _line([*row, _short(own["sampling"]), *quality, _short(own["ess_per_second"]), better])


def _line(words: Any) -> str:
    return f"| {' | '.join(words)} |"


def _short(number: float, digits: int = 3) -> str:
    """So many digits, and no more decimals than that takes."""
    return f"{number:,.0f}" if number >= 10 ** (digits - 1) else f"{number:.{digits}g}"


def draw(results: dict[str, Any], path: Path) -> None:
    """Seconds in a running session and effective draws a second: a line per job, a mark per program."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    jobs = list(results["jobs"])
    figure, panels = plt.subplots(1, 2, figsize=(10, 1.6 + 0.5 * len(jobs)), sharey=True, layout="constrained")
    labels = {"seconds": "model to draws in a running session, s", "ess_per_second": "smallest bulk ESS per second"}
    for axes, (key, label) in zip(panels, labels.items(), strict=True):
        for peer in PEERS:
            places = [k for k, job in enumerate(jobs) if key in results["jobs"][job]["peers"].get(peer, {})]
            values = [results["jobs"][jobs[k]]["peers"][peer][key] for k in places]
            marker = "D" if peer == "hiermod" else "o"
            axes.scatter(values, places, color=COLOURS[peer], marker=marker, s=50, label=peer, zorder=3)
        axes.set(xscale="log", xlabel=label, yticks=range(len(jobs)), yticklabels=jobs)
        axes.grid(axis="both", color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(PEERS), frameon=False)
    figure.savefig(path, dpi=150)
