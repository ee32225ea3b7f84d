"""Build the source archive and the wheel, check both, and fit the README's first example from the wheel alone.

The wheel is built of the archive. Its environment is empty but for the packages of requirements.txt, outside of this
tree; what it fits has to come from the bitcode that the wheel brings, which is made again from the sources and has to
be the same to the byte. All is left in --out: the archive and the wheel in dist/, the environment in venv/.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BITCODE = "hiermod/engine/build/engine.bitcode"
LOWER = (
    "import sys; from hiermod.engine.build import front_end; sys.stdout.buffer.write(front_end.lowered()[0].packed())"
)
WITHOUT_SOURCES = """
import sys
assert "numba" not in sys.modules, "Numba was imported"
assert hm.__file__.startswith(sys.prefix), f"{hm.__file__} is not the wheel's"
"""
COMPILED = "compiling the engine for this processor"  # what a first fit says that has bitcode, and a later one does not
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=None, help="folder to be made anew (default: a temporary one)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hiermod-wheel-") as temporary:
        out = chosen.out.resolve() if chosen.out else Path(temporary)
        shutil.rmtree(out, ignore_errors=True)
        check(out)


def check(out: Path) -> None:
    with ThreadPoolExecutor() as pool:
        environment = pool.submit(environment_of_the_lock, out / "venv")
        wheel = pool.submit(built, out).result()
        python = environment.result()
    say("installing the wheel")
    pip(python, "install", "--no-deps", str(wheel))
    pip(python, "check")
    fit_from_the_wheel(python, out)
    say(f"{wheel.name} answers the README's first example")


def environment_of_the_lock(folder: Path) -> Path:
    """The interpreter of an environment that holds what hiermod depends on, and no hiermod."""
    say("installing the locked packages of requirements.txt")
    python = new_environment(folder)
    pip(
        python, "install", "--only-binary", ":all:", "--require-hashes", "--requirement", str(ROOT / "requirements.txt")
    )
    return python


def built(out: Path) -> Path:
    """The wheel, checked; its bitcode is what the sources are lowered to."""
    python = new_environment(out / "build")
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    pip(python, "install", "--only-binary", ":all:", "build", "twine", *requires)
    say("building the source archive, and of it the wheel")
    run(python, "-m", "build", "--no-isolation", "--outdir", str(out / "dist"), str(ROOT))
    archive, wheel = sorted((out / "dist").iterdir(), key=lambda path: path.suffix)
    run(python, "-m", "twine", "check", "--strict", str(archive), str(wheel))
    with zipfile.ZipFile(wheel) as content:
        brought = content.read(BITCODE)
    made = run(python, "-c", LOWER, env=os.environ | {"PYTHONPATH": str(ROOT)}).stdout
    if made != brought:
        sys.exit(f"the wheel's {BITCODE} is not what its sources are lowered to")
    say("the wheel's bitcode is that of its sources")
    return wheel


def fit_from_the_wheel(python: Path, out: Path) -> None:
    """The README's first example, twice: the first run compiles the bitcode, the second nothing."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        sys.exit("README.md has no example with what it prints")
    code, expected = found.groups()
    away = out / "away"
    away.mkdir()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HIERMOD_", "XDG_"))}
    for compiles in (True, False):
        done = run(python, "-c", code + WITHOUT_SOURCES, cwd=away, env=outside | {"HOME": str(away)})
        printed, notices = done.stdout.decode(), done.stderr.decode()
        if NUMBER.sub("#", printed).split() != NUMBER.sub("#", expected).split():
            sys.exit(f"the README's first example prints\n{printed}\ninstead of\n{expected}")
        if "lowering" in notices or (COMPILED in notices) is not compiles:
            sys.exit(f"the {'first' if compiles else 'second'} fit says\n{notices}")


def new_environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip(python: Path, *arguments: str) -> None:
    run(python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments)


def run(python: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run Python; what it wrote is shown where it fails."""
    done = subprocess.run([str(python), *arguments], capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return done


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
