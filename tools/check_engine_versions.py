"""Build and test the engine with the oldest and with the newest compilers that pyproject.toml accepts.

Each end of the range has a throwaway environment; the other packages are those of the lock, as far as these allow it.
There the kernels are lowered, emitted and loaded, a model is fitted, and the density is held against PyMC's.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILERS = ("numba", "llvmlite")
TESTS = ("tests/engine/test_build.py", "tests/engine/test_engine_density.py")
FIT = """
import llvmlite, numba
import hiermod as hm
fit = hm.fit("success ~ treated + (1 + treated | country)", hm.example("country"), seed=1, progress=False)
print(fit.effect("treated", by="country"))
print(f"numba {numba.__version__}, llvmlite {llvmlite.__version__}, LLVM {llvmlite.binding.llvm_version_info}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("oldest", "newest"))
    chosen = parser.parse_args()
    for end in ("oldest", "newest"):
        if chosen.only in (None, end):
            with tempfile.TemporaryDirectory(prefix="hiermod-versions-") as folder:
                check(end, Path(folder))


def check(end: str, folder: Path) -> None:
    print(f"{end}: installing {', '.join(accepted(end))}", flush=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(others()))
    needed = [*dependencies(), "pytest", "pytest-timeout", "hypothesis"]
    run(python, "-m", "pip", "install", "-qq", "--only-binary", ":all:", "--constraint", str(constraints),
        *accepted(end), *(each for each in needed if not each.startswith(COMPILERS)))  # fmt: skip
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HIERMOD_"))}
    here = outside | {"PYTHONPATH": str(ROOT), "HIERMOD_CACHE_DIR": str(folder / "cache")}
    run(python, "-c", FIT, env=here)
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, env=here, cwd=ROOT)


def dependencies() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def accepted(end: str) -> list[str]:
    """The compilers, held to one end of the range."""
    ranges = [each for each in dependencies() if each.startswith(COMPILERS)]
    return [re.sub(r">=([\d.]+),.*", r"==\1", each) for each in ranges] if end == "oldest" else ranges


def others() -> list[str]:
    """What the lock holds, but for the compilers and NumPy, which older ones hold back."""
    pinned = re.findall(r"^([\w.-]+==\S+)", (ROOT / "requirements-dev.txt").read_text(), flags=re.MULTILINE)
    return [each for each in pinned if not each.startswith((*COMPILERS, "numpy=="))]


def run(python: Path, *arguments: str, **options: object) -> None:
    done = subprocess.run([str(python), *arguments], **options)
    if done.returncode:
        sys.exit(f"{' '.join(arguments[:4])} … failed")


if __name__ == "__main__":
    main()
