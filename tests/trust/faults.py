"""Kills, interrupts, full disks, limits and damaged files: nothing is lost, nothing torn, no process ends by a signal.

Each fault meets a process of its own, forked from one that has hiermod loaded. `--share 0.05` tries one in twenty.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hiermod as hm
from hiermod.errors import HiermodError, SamplingError, StorageError

COUNTS = {"kills": 100, "interrupts": 100, "disks": 40, "limits": 12, "damaged": 200, "comparisons": 6,
          "notebooks": 20, "refits": 1}  # fmt: skip
FORMULA, SETTINGS = "y ~ x + (1 + x | g)", {"draws": 400, "tune": 200, "chains": 2, "cores": 1, "progress": False}
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"y": RNG.integers(0, 2, 900), "x": RNG.normal(size=900), "g": RNG.integers(0, 30, 900)})
PATIENCE = 60.0  # seconds after which a process hangs
ENOUGH = 10.0  # seconds within which Ctrl-C is heard


def forked(work: Callable[[], object], silent: bool = True) -> int:
    """The id of a process that does this work; it ends by 0, or by 1 after an error."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException), open(os.devnull, "w") as nothing:
            if silent:
                os.dup2(nothing.fileno(), 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            work()
            code = 0
        os._exit(code)
    return pid


def ended(pid: int, patience: float = PATIENCE) -> int:
    """How a process ends: its exit code, less the signal that ended it, or 99 where it hangs."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 99


ENTER = f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})"
REFITS = """
import os, pandas as pd, hiermod as hm
from tests.trust.faults import ROWS, FORMULA
fit = hm.fit(FORMULA, ROWS, seed=1, draws=20, tune=50, chains=2, progress=False)

def refit(count):
    for seed in range(count):
        fit.update(seed=seed, progress=False).rates({"x": [0.0, 1.0]})

def figures():
    status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
    memory, threads = int(status["VmRSS"].split()[0]) * 1024, status["Threads"].strip()
    print("FIGURES", memory, threads, len(os.listdir("/proc/self/fd")))
"""


def asked(kernel: Any, code: str, patience: float) -> dict[str, Any]:
    """What a notebook's kernel answers to code, with what it prints.

    A kernel aborts what is asked in the moment after an error, whatever the error: it is asked again.
    """
    printed: list[str] = []

    def heard(message: dict[str, Any]) -> None:
        printed.append(message["content"].get("text", ""))

    end = time.monotonic() + patience
    while reply := kernel[1].execute_interactive(code, timeout=patience, output_hook=heard)["content"]:
        if reply["status"] != "aborted" or time.monotonic() > end:
            break
        time.sleep(0.05)
    return {**reply, "printed": "".join(printed)}


def read_figures(reply: dict[str, Any]) -> tuple[float, int, int]:
    """Bytes, threads and descriptors, as `figures` prints them."""
    words = reply["printed"].split("FIGURES")[1].split()
    return float(words[0]), int(words[1]), int(words[2])


class Faults:
    """The trials; each gives a word for what happened, which begins with ``LOST`` where it must not."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        one, other = folder / "one.nc", folder / "other.nc"
        for seed, path in ((1, one), (2, other)):  # in processes: forks of one that has sampled lack its threads
            if ended(
                forked(lambda seed=seed, path=path: hm.fit(FORMULA, ROWS, seed=seed, file=path, **SETTINGS)), 600.0
            ):
                raise SystemExit("the fits that are to be stored cannot be made")
        self.paths, self.fits = (one, other), (hm.load(one), hm.load(other))
        self.bytes = one.read_bytes()

    def kills(self) -> str:
        """A process that saves is killed: the file is the one before or the one after."""
        target = self.folder / "target.nc"
        shutil.copy(self.paths[0], target)
        pid = forked(lambda: [fit.save(target) for _ in range(50) for fit in self.fits])
        time.sleep(self.rng.uniform(0.0, 0.4))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return self._whole(target)

    def _whole(self, target: Path) -> str:
        try:
            found = hm.load(target).posterior
        except HiermodError as error:
            return f"LOST: {error}"
        return "whole" if any(found.identical(fit.posterior) for fit in self.fits) else "LOST: other draws"

    def interrupts(self) -> str:
        """Ctrl-C in a fit that is to be stored: it is heard, and what was said to be stored is."""
        target, said = self.folder / "fit.nc", self.folder / "said"
        target.unlink(missing_ok=True)
        said.unlink(missing_ok=True)

        def work() -> None:
            with open(said, "w") as words, contextlib.redirect_stderr(words):
                try:
                    hm.fit(FORMULA, ROWS, seed=1, file=target, **SETTINGS)
                except KeyboardInterrupt:
                    print("interrupted", file=words, flush=True)
                except SamplingError:
                    print("no draws yet", file=words, flush=True)

        pid = forked(work)
        time.sleep(self.rng.uniform(0.0, self._seconds()))
        os.kill(pid, signal.SIGINT)
        begun = time.monotonic()
        code = ended(pid)
        words = said.read_text() if said.exists() else ""
        if code not in (0, 1) or time.monotonic() - begun > ENOUGH:
            return f"LOST: ended by {code} after {time.monotonic() - begun:.0f} s"
        if target.exists():
            kept = hm.load(target).posterior.sizes["draw"]
            return "stored whole" if kept == SETTINGS["draws"] else "draws so far stored"
        return "LOST: said to be stored" if "stored in" in words else "before any draw"

    def _seconds(self) -> float:
        if not hasattr(self, "seconds"):
            start = time.monotonic()
            ended(forked(lambda: hm.fit(FORMULA, ROWS, seed=1, **SETTINGS)))
            self.seconds = time.monotonic() - start
        return self.seconds

    def disks(self) -> str:
        """The disk is full after some bytes: an error, the process goes on, and the old file stays."""
        target = self.folder / "full.nc"
        shutil.copy(self.paths[1], target)
        limit = self.rng.randrange(len(self.bytes))

        def work() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            with contextlib.suppress(StorageError):
                self.fits[0].save(target)
                raise AssertionError("it was not full")
            self.fits[0].fixef()

        code = ended(forked(work))
        if code or target.read_bytes() != self.paths[1].read_bytes():
            return f"LOST: ended by {code}"
        return "refused, the old file stays"

    def limits(self) -> str:
        """Little memory, or few open files: a result or a HiermodError (MemoryError, where Python itself has none)."""
        kind, number = self.rng.choice(
            [("memory", self.rng.randrange(100, 3000)), ("files", self.rng.randrange(3, 40))]
        )

        def work() -> None:
            if kind == "memory":
                size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + number * 10**6
                resource.setrlimit(resource.RLIMIT_AS, (size, size))
            else:
                resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
            with contextlib.suppress(HiermodError, MemoryError, OSError):
                if kind == "memory":
                    hm.fit(FORMULA, ROWS, seed=1, **{**SETTINGS, "draws": 10**6})
                self.fits[0].save(self.folder / "limited.nc")

        code = ended(forked(work))
        return f"{kind}: ended well" if code in (0, 1) else f"LOST: {kind} {number}: ended by {code}"

    def damaged(self) -> str:
        """A damaged file is refused."""
        from tests.trust import texts

        target = self.folder / "damaged.nc"
        while (content := texts.damaged(self.rng, self.bytes, resealed=False)) == self.bytes:
            continue
        target.write_bytes(content)
        try:
            hm.load(target)
        except StorageError:
            return "refused"
        return "LOST: loaded"

    def notebooks(self) -> str:
        """One press of Ctrl-C in a notebook ends a fit, compiled by PyTensor or not, and the kernel goes on."""
        from jupyter_client.manager import start_new_kernel

        if not hasattr(self, "kernel"):
            self.kernel = start_new_kernel()
            asked(
                self.kernel,
                f"{ENTER}; import pandas as pd, hiermod as hm; from tests.trust.faults import FORMULA, ROWS",
                PATIENCE,
            )
        engine = self.rng.choice(["auto", "pymc"])
        data, chosen = f"ROWS.assign(x=ROWS.x * {self.rng.random()})", f"engine={engine!r}"
        code = f"fit = hm.fit(FORMULA, {data}, draws=20000, progress=False, {chosen})"
        delay = self.rng.uniform(0.2, 8.0)
        manager, client = self.kernel
        client.execute(code)
        time.sleep(delay)
        manager.interrupt_kernel()
        begun = time.monotonic()
        try:
            ended_by = client.get_shell_msg(timeout=PATIENCE)["content"]
        except Exception:
            return f"LOST: {engine} goes on {PATIENCE:.0f} s after {delay:.1f} s"
        further = asked(self.kernel, "1 + 1", PATIENCE)
        if further["status"] != "ok":
            return f"LOST: the kernel does not go on: {further}"
        late = " late" if time.monotonic() - begun > 20.0 else ""
        if ended_by["status"] == "ok":
            return f"{engine}: draws kept{late}"
        known = ended_by["ename"] in ("KeyboardInterrupt", "InterruptedSamplingError")
        return f"{engine}: {ended_by['ename']}{late}" if known else f"LOST: {ended_by['ename']}: {ended_by['evalue']}"

    def refits(self) -> str:
        """Two thousand fits in a notebook's kernel: memory, threads and descriptors stay as they are."""
        from jupyter_client.manager import start_new_kernel

        kernel = start_new_kernel()
        try:
            asked(kernel, ENTER + REFITS, PATIENCE)
            said = [asked(kernel, f"refit({count}); figures()", 3600.0) for count in (300, 1700)]
        finally:
            kernel[1].stop_channels()
            kernel[0].shutdown_kernel(now=True)
        before, after = (read_figures(each) for each in said)
        grown = after[0] > 1.05 * before[0] + 2e7 or after[1] > before[1] or after[2] > before[2]
        figures = f"memory {before[0] / 1e6:.0f} to {after[0] / 1e6:.0f} MB, threads {before[1]} to {after[1]}, "
        return f"{'LOST: ' if grown else ''}{figures}descriptors {before[2]} to {after[2]}"

    def comparisons(self) -> str:
        """Ctrl-C in `hiermod compare` ends it by 130, and names no model as failed."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            ROWS.to_csv(Path(name) / "d.csv", index=False)
            code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            code += "from hiermod.cli import main; sys.exit(main())"
            arguments = ["compare", "d.csv", FORMULA, "y ~ x", "--seed", "1", "--draws", "5000", "--out", "t.csv"]
            run = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=name, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
            assert run.stderr is not None
            for line in run.stderr:
                if "engine: compiled" in line:
                    break
            time.sleep(self.rng.uniform(0.0, 1.0))
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=PATIENCE)
            if run.returncode == 0:
                return "finished before"
            return (
                "ended by 130" if run.returncode == 130 and "not compared" not in out + err else f"LOST: {err[-200:]}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(COUNTS), nargs="+", default=list(COUNTS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        faults = Faults(Path(name), options.seed)
        for fault in options.only:
            start, count = time.monotonic(), max(round(options.share * COUNTS[fault]), 1)
            trial: Callable[[], Any] = getattr(faults, fault)
            words = Counter(trial() for _ in range(count))
            left = [each.name for each in Path(name).glob(".hiermod-*")]
            said = ", ".join(f"{times} {word}" for word, times in words.items())
            print(f"{fault:11} {count}: {said} ({time.monotonic() - start:.0f} s)", flush=True)
            failed = failed or any(word.startswith("LOST") for word in words)
            if fault != "kills" and left:
                print(f"{fault}: left behind {left}")
            for each in Path(name).glob(".hiermod-*"):
                each.unlink()
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
