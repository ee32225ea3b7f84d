"""Folders of compiled code: whose they are, and whether they are whole.

What a folder holds is run, so that it is loaded only where nobody else can have written it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "HIERMOD_CACHE_DIR"
CONTENTS = "contents.sha256"
BUILDING = "building-"
ABANDONED = 3600.0  # seconds without a change, after which a build is taken for broken off


def places() -> Iterator[Path]:
    """Folders that may hold compiled code, the preferred one first."""
    if os.environ.get(FOLDER):
        yield Path(os.environ[FOLDER])
        return
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~")) / ".cache"
    if home.is_absolute():  # there may be no home
        yield home / "hiermod"
    with suppress(OSError):  # nor a folder for temporary files
        yield Path(tempfile.gettempdir()) / f"hiermod-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def is_trusted(folder: Path) -> bool:
    """Whether a folder is there and nobody but its owner, who is this user or root, can write to it.

    A folder that `HIERMOD_CACHE_DIR` names is trusted as it is.
    """
    try:
        status = os.stat(folder) if os.environ.get(FOLDER) else os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if os.environ.get(FOLDER) or not hasattr(os, "getuid"):
        return True
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def seal(folder: Path, name: str) -> None:
    """Write down what a finished folder holds, and the name that it is to have."""
    (folder / CONTENTS).write_text(_contents(folder, name), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether a folder holds what it held when it was finished, under the same name."""
    try:
        return (folder / CONTENTS).read_text(encoding="utf-8") == _contents(folder, folder.name)
    except (OSError, ValueError):
        return False


def _contents(folder: Path, name: str) -> str:
    """The folder's name, then a hash and a name for each file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CONTENTS)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    ]
    return "\n".join([name, *lines])


@contextmanager
def building(place: Path) -> Iterator[Path]:
    """A new folder to compile in, which is gone afterwards unless it was moved; those of broken builds go too.

    Raises
    ------
    OSError
        If no folder of this user can be made.
    """
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not is_trusted(place):
        raise PermissionError(f"{place} can be written by others")
    for build in place.glob(f"{BUILDING}*"):
        with suppress(OSError):
            if time.time() - build.stat().st_mtime > ABANDONED:
                shutil.rmtree(build, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=BUILDING, dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
