"""Help and version: at once, and without the packages that only a command needs."""

import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("hiermod"))


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["fit", "--help"], ["fit"]])
def test_only_the_standard_library_is_imported(arguments):
    program = (
        "import sys\n"
        "from hiermod.cli import main\n"
        f"main({arguments!r})\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "foreign = roots - sys.stdlib_module_names - {'hiermod', '__main__'}\n"
        "print('foreign:', sorted(name for name in foreign if not name.startswith('_')), file=sys.stderr)\n"
    )
    done = run(sys.executable, "-S", "-c", program, env={"PYTHONPATH": str(Path(__file__).parents[2])})
    assert done.stderr.rstrip().endswith("foreign: []")


def test_help_takes_a_fifth_of_importing_pandas_at_most():
    def seconds(*arguments):
        start = time.perf_counter()
        subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True, timeout=300)
        return time.perf_counter() - start

    helps, imports = [], []
    for _ in range(5):  # taken in turns, the best of each: other work on the machine slows both
        helps.append(seconds(COMMAND, "--help"))
        imports.append(seconds(sys.executable, "-c", "import pandas"))
    assert min(helps) < min(imports) / 5


def test_help_names_commands_and_exit_codes():
    done = run(COMMAND, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for word in ("demo", "fit", "0 done, 1 could not fit, 2 bad arguments"):
        assert word in done.stdout


@pytest.mark.parametrize("command", [[COMMAND], [sys.executable, "-m", "hiermod.cli"]])
def test_the_version_is_that_of_the_package(command):
    done = run(*command, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hiermod {version('hiermod')}\n", "")


def test_a_reader_who_leaves_gets_no_traceback():
    """As ``hiermod --help | true``: nobody reads the pipe any more."""
    program = "import os, subprocess, sys\nread, write = os.pipe()\nos.close(read)\n" + (
        f"done = subprocess.run([{COMMAND!r}, '--help'], stdout=write, stderr=subprocess.PIPE, text=True, env={{}})\n"
        "print(done.returncode, repr(done.stderr))\n"
    )
    assert run(sys.executable, "-c", program).stdout.strip() == "141 ''"
