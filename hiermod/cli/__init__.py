"""The command line: ``hiermod demo`` and ``hiermod fit``. Answers go to stdout, everything else to stderr.

Until a command runs, only the standard library is imported, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from hiermod.cli import output
from hiermod.cli.arguments import build_parser
from hiermod.cli.output import BAD_ARGUMENTS, COULD_NOT_FIT, INTERRUPTED, PIPE_CLOSED
from hiermod.errors import AnswerError, HiermodError, visible
from hiermod.sampling.ending import sigterm_as_ctrl_c

COMMANDS = {  # each with its module and function
    "compare": ("hiermod.cli.compare", "run"),
    **{name: ("hiermod.cli.commands", name) for name in ("demo", "explain", "fit", "report", "warmup")},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 could not fit, 2 bad arguments, 3 not converged."""
    if argv is not None:
        return _heard(argv)
    output.heed()  # the process is ours
    with sigterm_as_ctrl_c():
        return _heard(argv)


def _heard(argv: Sequence[str] | None) -> int:
    """The exit code; Ctrl-C, and a reader of stdout who has gone, are no tracebacks."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    except KeyboardInterrupt:
        if argv is None:
            output.leave_quietly()
        return _failed("interrupted", INTERRUPTED)
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        options = build_parser().parse_args(argv)
        module, function = COMMANDS[options.command]
        return int(getattr(import_module(module), function)(options))
    except SystemExit as leaving:  # argparse, after --help or a wrong argument
        return int(leaving.code or 0)
    except AnswerError as error:
        return _failed(str(error), BAD_ARGUMENTS)
    except HiermodError as error:
        return _failed(str(error), COULD_NOT_FIT)


def _failed(message: str, code: int) -> int:
    print(f"hiermod: {visible(message)}", file=sys.stderr)
    return code


def _pipe_closed() -> int:
    """Whoever read stdout has had enough; what is still buffered must not be written at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
