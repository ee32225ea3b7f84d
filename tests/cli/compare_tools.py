"""Running ``hiermod compare`` here, and reading what it wrote."""

import contextlib
import csv
import io
from types import SimpleNamespace

from hiermod.cli import main

PLAIN, POOLED = "success ~ treated", "success ~ treated + (1 | country)"
QUICK = ("--draws", "150", "--seed", "1", "--no-progress")


def run(*argv):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(own) for own in argv])
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
