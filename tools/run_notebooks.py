"""Run every notebook of notebooks/ from top to bottom, and fail if any cell ends in an error.

Notebooks are .ipynb files, and Markdown whose head says that it is one (MyST's ``file_format: mystnb``). The executed
copies go to build/notebooks; the files in notebooks/ are only read.
"""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "notebooks"
TARGET = ROOT / "build" / "notebooks"
CELL_TIMEOUT = 900  # seconds
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n((?::[^\n]*\n)*)\n?(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def is_notebook(path: Path) -> bool:
    """Whether a file is run: a notebook, or Markdown that says it is one."""
    return path.suffix == ".ipynb" or (path.suffix == ".md" and "file_format: mystnb" in path.read_text()[:100])


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook; of Markdown, its code."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    cells = [nbformat.v4.new_code_cell(found.group(2)) for found in CELL.finditer(path.read_text(encoding="utf-8"))]
    return nbformat.v4.new_notebook(cells=cells)


def run(path: Path) -> str | None:
    """Execute one notebook, keep the executed copy, and return what went wrong, if anything did."""
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        # Without its remark on every start that loopback TCP is not encrypted.
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
        return str(error)  # RuntimeError: the kernel did not start
    finally:
        target = (TARGET / path.relative_to(SOURCE)).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
    # A cell tagged raises-exception does not stop the run, but a published notebook shows no traceback.
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                return f"cell {number}: {output['ename']}: {output['evalue']}"
    return None


def main() -> int:
    paths = sorted(p for p in SOURCE.rglob("*.*") if ".ipynb_checkpoints" not in p.parts and is_notebook(p))
    if not paths:
        print("notebooks: none to run")
        return 0
    # The kernel of this environment, whatever else is registered for the user.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime
        return run_all(paths)


def run_all(paths: list[Path]) -> int:
    failed = 0
    for path in paths:
        name = path.relative_to(ROOT)
        started = time.perf_counter()
        print(f"notebooks: {name} …", flush=True)
        problem = run(path)
        if problem is None:
            print(f"notebooks: {name} ran in {time.perf_counter() - started:.0f} s", flush=True)
        else:
            failed += 1
            print(f"notebooks: {name} FAILED\n{problem}", file=sys.stderr, flush=True)
    print(f"notebooks: {len(paths) - failed} of {len(paths)} ran without an error")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
