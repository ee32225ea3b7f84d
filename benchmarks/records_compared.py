"""Two records of `recorder.py` beside each other: a row for each model, then what differs and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

PARTS = ("draws", "prior", "answers", "texts", "scores")
DIFFERENCES_SHOWN = 12  # of each model


def compare(old: dict[str, Any], new: dict[str, Any], only: list[str]) -> int:
    """Print the table; 1 if anything but the seconds differs."""
    names = [name for name in {**old, **new} if not only or name in only]
    print(f"{'model':28}" + "".join(f"{part:>9}" for part in PARTS) + "".join(f"{head:>9}" for head in SECONDS))
    details, totals = [], np.zeros((2, 2))
    for name in names:
        if name not in old or name not in new:
            print(f"{name:28}  in one record only")
            details.append((name, [f"only in the {'old' if name in old else 'new'} record"]))
            continue
        own = {part: differences(old[name]["results"][part], new[name]["results"][part]) for part in PARTS}
        seconds = np.array([[record[name]["seconds"][key] for key in ("fit", "answers")] for record in (old, new)])
        totals += seconds
        words = "".join(f"{'no' if own[part] else 'yes':>9}" for part in PARTS)
        print(f"{name:28}{words}{_seconds(seconds)}")
        if any(own.values()):
            details.append((name, [f"{part}{where}" for part in PARTS for where in own[part]]))
    print(f"{'all':28}{'':{9 * len(PARTS)}}{_seconds(totals)}")
    print("\nyes: the same to the last bit. Seconds are of the CPU; ratios are new over old.")
    for name, found in details:
        print(f"\n{name}: {len(found)} differences")
        print("\n".join(f"  {line}" for line in found[:DIFFERENCES_SHOWN]))
    print(f"\n{len(names) - len(details)} of {len(names)} models are the same.")
    return int(bool(details) or not names)


SECONDS = ("fit old", "fit new", "ratio", "ask old", "ask new", "ratio")


def _seconds(seconds: np.ndarray) -> str:
    return "".join(f"{old:9.2f}{new:9.2f}{new / old:9.2f}" for old, new in seconds.T)


def differences(old: Any, new: Any) -> list[str]:
    """Where two results differ, a line each; a digest that differs is told by the numbers beside it."""
    return list(_differences(old, new, ""))


def _differences(old: Any, new: Any, where: str) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if not _same(old, new):
            yield f"{where}: {_shortly(old)} -> {_shortly(new)}"
        return
    told = "sha256" in old and "sha256" in new and old["sha256"] != new["sha256"]
    if told:
        yield f"{where}: {_how_far(old, new)}"
    for key in {**old, **new}:
        if key in ("numbers", "text", "sha256") and (told or key == "sha256"):
            continue
        if key not in old or key not in new:
            yield f"{where} / {key}: only in the {'old' if key in old else 'new'} record"
            continue
        yield from _differences(old[key], new[key], f"{where} / {key}")


def _same(old: Any, new: Any) -> bool:
    """Whether they are equal, numbers that are not known included."""
    return repr(old) == repr(new)


def _how_far(old: dict[str, Any], new: dict[str, Any]) -> str:
    if "text" in old and "text" in new:
        pairs = zip(old["text"].splitlines(), new["text"].splitlines(), strict=False)
        return next((f"{a.strip()!r} -> {b.strip()!r}" for a, b in pairs if a != b), "other length")
    before, after = (np.array(own.get("numbers", []), dtype=float) for own in (old, new))
    if before.shape != after.shape:
        return f"{len(before)} -> {len(after)} numbers"
    known = np.isfinite(before) & np.isfinite(after)
    if not known.any():
        return "digests differ"
    apart = np.abs(after - before)[known] / np.maximum(np.abs(before[known]), 1e-300)
    return f"digests differ, numbers by at most {np.max(apart):.2g} of their size"


def _shortly(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
