"""The line of progress: from one thread, seldom, and one of it in a saved notebook."""

import io
import sys
import threading
import types
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import hiermod as hm
from hiermod.sampling import progress
from hiermod.sampling.progress import ChainProgress, ProgressLine

LONG = {"draws": 60_000, "seed": 1}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_of(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


class Clock:
    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


def test_a_terminal_has_one_line_a_second_and_none_in_the_end(monkeypatch):
    terminal = terminal_of(monkeypatch)
    clock, line = Clock(monkeypatch), ProgressLine()
    for tenth in range(31):
        clock.now = tenth / 10
        line.show(f"{tenth} of 30")
    assert terminal.getvalue() == "".join(f"\rhiermod: {tenth} of 30\x1b[K" for tenth in (10, 20, 30))
    line.close("30 fits")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_short_work_says_nothing(monkeypatch):
    terminal = terminal_of(monkeypatch)
    clock, line = Clock(monkeypatch), ProgressLine()
    clock.now = 0.9
    line.show("1 of 2")
    line.close("2 fits")
    assert terminal.getvalue() == ""


def test_a_file_has_a_line_every_half_minute_without_control_characters(monkeypatch, capsys):
    clock, line = Clock(monkeypatch), ProgressLine()
    for second in range(65):
        clock.now = float(second)
        line.show(f"{second} of 64")
    line.close("64 fits")
    assert capsys.readouterr().err == "hiermod: 30 of 64\nhiermod: 60 of 64\n"


@pytest.mark.parametrize("engine", ["compiled", "pymc"])
def test_the_thread_that_waits_is_the_one_that_writes(engine, monkeypatch):
    monkeypatch.setattr(progress, "SECOND", 0.0)
    writers, texts = set(), []

    def write(self, text):
        writers.add(threading.get_ident())
        texts.append(text)

    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    monkeypatch.setattr(ProgressLine, "_write", write)
    monkeypatch.setattr("hiermod.engine.nutpie_core.SECOND", 0.05)
    model = hm.model("incidence/size ~ period + (1 | herd)", hm.example("cbpp"))
    model.fit(seed=1, draws=10_000 if engine == "compiled" else 1_000, engine=engine)
    assert writers == {threading.get_ident()}
    assert any(" draws" in text for text in texts)


def test_chains_tell_draws_divergences_and_the_time_that_is_left(monkeypatch):
    terminal = terminal_of(monkeypatch)
    clock, seen = Clock(monkeypatch), ChainProgress()
    clock.now = 10.0
    chain = types.SimpleNamespace(finished_draws=1000, total_draws=4000, divergences=3)
    seen([chain, chain])
    seen.show()
    assert "2,000 of 8,000 draws, about 30 s left, 6 divergences" in terminal.getvalue()


CELLS = (
    "import os, hiermod as hm\nmodel = hm.model('incidence/size ~ period + (1 | herd)', hm.example('cbpp'))\n"
    "model.fit(draws=20, seed=1)\nbefore = len(os.listdir('/proc/self/fd'))",
    f"fit = model.fit(draws={LONG['draws']}, seed=1)",
    "print(len(os.listdir('/proc/self/fd')) - before)",
)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors are counted in /proc")
def test_a_saved_notebook_keeps_one_line_and_no_descriptor_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(hm.__file__).parents[1]))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    options = {"resources": {"metadata": {"path": str(tmp_path)}}, "kernel_name": "python3", "timeout": 120}
    NotebookClient(notebook, extra_arguments=["--IPKernelApp.log_level=40"], **options).execute()
    shown = [output for output in notebook.cells[1].outputs if output.output_type == "display_data"]
    assert len(shown) == 1
    assert shown[0].data["text/plain"].startswith("hiermod: 241,200 draws with their warm-up in ")
    streams = "".join(output.text for output in notebook.cells[1].outputs if output.output_type == "stream")
    assert "\x1b" not in streams
    assert int(notebook.cells[2].outputs[0].text) <= 4
