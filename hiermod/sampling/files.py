"""Files that are complete or not there; those of fits are sealed by their hash, and read only where that still holds.

A file is written under a private name in the same folder, brought to the disk and put in place at once, so that the
last complete writer wins. The seal stands behind the HDF5 data, whose readers do not look there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hiermod.errors import StorageError

SEAL = b"\nhiermod sha256 "
LENGTH = len(SEAL) + 64
BLOCK = 1 << 20
LONGEST_NAME = 255  # bytes, where the system does not say
LARGEST = 200  # bytes that data may take in memory for each byte in the file, beyond
ANYWAY = 100_000_000  # what they may take in any case


class Draft(io.RawIOBase):
    """A file to write to, whose first failure is kept and whose later writes do nothing.

    HDF5 ends the process where a write fails while it closes a file; so it hears of none, and finds place and size as
    they would be.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.place, self.size = file, 0, 0
        self.failure: OSError | None = None

    def _try(self, call: Callable[[], Any]) -> None:
        if self.failure is None:
            try:
                call()
            except OSError as error:
                self.failure = error

    def readable(self) -> bool:
        """Yes: HDF5 reads what it wrote."""
        return True

    def writable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; zeros after a failure."""
        view = memoryview(buffer).cast("B")
        count = max(min(len(view), self.size - self.place), 0)
        found: list[bytes] = []
        self._try(lambda: found.append(self.file.read(count)))
        got = found[0] if found else bytes(count)
        view[: len(got)] = got
        self.place += len(got)
        return len(got)

    def write(self, data: Any) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        self._try(lambda: _write_all(self.file, view))
        self.place += len(view)
        self.size = max(self.size, self.place)
        return len(view)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there."""
        self.place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.size}[whence]
        self._try(lambda: self.file.seek(self.place))
        return self.place

    def tell(self) -> int:
        """Where it stands."""
        return self.place

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen."""
        self.size = self.place if size is None else size
        self._try(lambda: self.file.truncate(self.size))
        return self.size

    def flush(self) -> None:
        """Nothing is buffered."""


def _write_all(file: BinaryIO, view: memoryview) -> None:
    """Write whole; the system may take less at a time."""
    while view:
        view = view[file.write(view) :]


def check_target(path: str | Path, what: str = "a fit", example: str = "fit.nc") -> Path:
    """Refuse a path at which no file can be written, before anything is sampled for it.

    Raises
    ------
    StorageError
    """
    path = read_path(path)
    try:
        if path.is_dir():
            place = str(path / example)
            raise StorageError(f"{str(path)!r} is a folder; {what} is stored in a file, such as {place!r}.")
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            where = f"{str(path)!r} is a link to {str(target)!r}, whose folder" if path.is_symlink() else ""
            raise StorageError(f"{where or f'The folder of {str(path)!r}'} is not there. Make it first.")
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            raise StorageError(f"{str(path)!r} is no plain file but a device or a pipe. Name another.")
        descriptor, name = _private(target)
        os.close(descriptor)
        os.unlink(name)
    except OSError as error:
        raise StorageError(f"No file can be written at {str(path)!r}: {error.strerror or error}.") from error
    return path


def make_folder(path: str | Path, what: str = "Fits", parents: bool = False) -> Path:
    """A folder, made if it is not there, those that it is in too if `parents`, in which files can be written.

    Raises
    ------
    StorageError
        If it cannot be made, or nothing can be written in it.
    """
    path = read_path(path)
    try:
        path.mkdir(parents=parents, exist_ok=True)
        descriptor, name = _private(path / "file")
        os.close(descriptor)
        os.unlink(name)
    except FileNotFoundError as error:
        raise StorageError(
            f"{what} cannot be kept in {str(path)!r}: the folder {str(path.parent)!r} is not there."
        ) from error
    except OSError as error:
        raise StorageError(f"{what} cannot be kept in {str(path)!r}: {error.strerror or error}.") from error
    return path


def read_path(path: Any) -> Path:
    """A path as the user gave it.

    Raises
    ------
    StorageError
        If it is none.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(path, bytes):
        raise StorageError(f"A path is needed, as text or a pathlib.Path, not {path!r}.")
    if "\0" in str(path):
        raise StorageError(f"The path {str(path)!r} has a character that no file's name can have.")
    return Path(path)


def _private(target: Path) -> tuple[int, str]:
    """A new file of a private name beside the target, open to its owner alone; a name too long for it is refused."""
    longest = os.pathconf(target.parent, "PC_NAME_MAX") if hasattr(os, "pathconf") else LONGEST_NAME
    if len(os.fsencode(target.name)) > longest:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return tempfile.mkstemp(prefix=".hiermod-", suffix=".partial", dir=target.parent)


def write_sealed(path: str | Path, write: Callable[[Draft], None]) -> None:
    """Put what `write` writes at a path, sealed; a link's target is replaced, and permissions stay.

    Raises
    ------
    StorageError
        If it cannot be written; what was there before is untouched.
    """
    path = check_target(path)
    try:
        with replacing(path, buffering=0) as file:
            draft = Draft(file)
            write(draft)
            if draft.failure is not None:
                raise draft.failure
            _seal(file)
    except OSError as error:
        raise StorageError(f"The fit cannot be stored in {str(path)!r}: {error.strerror or error}.") from error


@contextlib.contextmanager
def replacing(path: str | Path, buffering: int = -1) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the one at a path when the block ends, and not if it fails.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched.
    """
    target = Path(os.path.realpath(path))
    descriptor, name = _private(target)
    try:
        with os.fdopen(descriptor, "w+b", buffering=buffering) as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.chmod(name, _mode(target))
        os.replace(name, target)
        _sync_folder(target.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _mode(target: Path) -> int:
    """The permissions of the file that is there, else those of a new one."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems have no such thing
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _seal(file: BinaryIO) -> None:
    text = SEAL + _hash(file, file.seek(0, os.SEEK_END)).encode()
    file.seek(0, os.SEEK_END)
    _write_all(file, memoryview(text))


def _hash(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (block := file.read(min(BLOCK, size))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def is_sealed(path: Path) -> bool:
    """Whether a file ends in a seal.

    Raises
    ------
    StorageError
        If the seal is not that of the bytes before it.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END) - LENGTH
        file.seek(max(size, 0))
        seal = file.read()
        if size < 0 or not seal.startswith(SEAL):
            return False
        if _hash(file, size).encode() != seal[len(SEAL) :]:
            raise StorageError(f"{str(path)!r} is damaged: its bytes are not those that were written.")
    return True


def refuse_foreign_parts(path: Path) -> None:
    """Refuse HDF5 files that point outside themselves, or take far more memory than room on the disk.

    Raises
    ------
    StorageError
    """
    import h5py

    size = 0
    with h5py.File(path, "r") as file:
        for name in _links(file, path):
            each = file[name]
            if isinstance(each, h5py.Dataset):
                if each.external or each.is_virtual:
                    raise StorageError(f"{str(path)!r} has data in other files ({name!r}), which are not read.")
                size += each.size * max(each.dtype.itemsize, 1)
    if size > ANYWAY + LARGEST * path.stat().st_size:
        raise StorageError(f"{str(path)!r} would take {size:,} bytes in memory, far more than a stored fit does.")


def _links(group: Any, path: Path, depth: int = 0) -> list[str]:
    import h5py

    names = []
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink) or depth > 3:
            raise StorageError(f"{str(path)!r} points elsewhere ({name!r}), which no stored fit does.")
        each = group[name]
        names.append(each.name)
        if isinstance(each, h5py.Group):
            names += _links(each, path, depth + 1)
    return names
