"""Which lines of which files run, test by test, as the interpreter itself tells (`sys.monitoring`)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = str(ROOT / "hiermod")


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def executable_lines(path: Path) -> set[int]:
    """Lines that can run: those of bodies of type-checking blocks and of protocols cannot."""
    tree = ast.parse(path.read_text())
    lines = {line for code in code_objects(compile(tree, str(path), "exec")) for *_, line in code.co_lines() if line}
    for node in ast.walk(tree):
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        protocol = isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        if typing_only or protocol:
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        body = getattr(node, "body", None)
        if (
            isinstance(body, list) and body and ast.get_docstring(node, clean=False)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            else False
        ):
            first = body[0]
            lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


class Recorder:
    """A pytest plugin: `tests` maps each test to the lines that it ran; `imported` holds those of imports."""

    def __init__(self) -> None:
        self.tests: dict[str, set[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        self.imported: set[tuple[str, int]] = set()
        self.now = self.imported
        self.tool = sys.monitoring.COVERAGE_ID

    def start(self) -> None:
        sys.monitoring.use_tool_id(self.tool, "lines")
        sys.monitoring.register_callback(self.tool, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(self.tool, sys.monitoring.events.LINE)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_filename.startswith(PACKAGE):
            self.now.add((code.co_filename, line))
        return sys.monitoring.DISABLE

    def begin(self, test: str) -> None:
        """What runs from now on is this test's."""
        self.now = self.tests.setdefault(test, set())
        sys.monitoring.restart_events()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        self.begin(item.nodeid)
        result = yield
        self.now = self.imported
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def lines(self) -> set[tuple[str, int]]:
        """All lines that ran."""
        return self.imported.union(*self.tests.values())
