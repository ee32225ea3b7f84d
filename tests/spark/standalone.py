"""A standalone Spark cluster on loopback: a master and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 90.0  # seconds until all workers have to be there


@dataclass(frozen=True)
class Cluster:
    """A master that runs; `page` is where it tells its state as JSON."""

    url: str
    page: str

    def workers(self) -> list[dict]:
        """What the master knows of the workers that are alive."""
        with urllib.request.urlopen(self.page, timeout=10) as answer:
            return [own for own in json.load(answer)["workers"] if own["state"] == "ALIVE"]


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Start a master and workers of one core and one gigabyte each; all are gone afterwards, whatever happens."""
    port, page = free_ports(2)
    url = f"spark://{HOST}:{port}"
    with ExitStack() as running:
        running.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        daemons = [_daemon(running, folder / "master", "master.Master", "--port", port, "--webui-port", page)]
        for place in range(workers):
            size = ("--cores", 1, "--memory", "1g", "--webui-port", 0, "--work-dir", folder / f"work{place}")
            daemons.append(_daemon(running, folder / f"worker{place}", "worker.Worker", *size, url))
        made = Cluster(url, f"http://{HOST}:{page}/json/")
        _wait(made, workers, daemons, folder)
        yield made


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for own in sockets:
            own.bind((HOST, 0))
        return [own.getsockname()[1] for own in sockets]


def _daemon(running: ExitStack, log: Path, name: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one process of the cluster through `spark-class`, which becomes its Java process."""
    command = (f"{os.environ['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{name}", "--host", HOST)
    output = running.enter_context(log.with_suffix(".log").open("wb"))
    process = subprocess.Popen([*command, *map(str, arguments)], stdout=output, stderr=output)
    running.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(made: Cluster, workers: int, daemons: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """Return when the master has so many workers; fail at once where a process has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and all(own.poll() is None for own in daemons):
        try:
            if len(made.workers()) == workers:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # the master does not listen yet
        time.sleep(0.2)
    logs = "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"The Spark cluster did not start.\n{logs}")
