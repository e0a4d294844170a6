"""SQLite's own calls to the operating system, watched and made to fail: a VFS over the one the driver uses.

It needs no compiler: it is made by ctypes in the library that `_sqlite3` itself is linked to. A file is opened by the
real VFS; only its table of methods is then exchanged for one whose methods ask the `Watcher` first. Files outside the
watcher's directory are left alone. https://www.sqlite.org/c3ref/vfs.html, https://www.sqlite.org/c3ref/io_methods.html
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol


class Op(StrEnum):
    """A call that can change, or must keep, what lies on the disk."""

    OPEN = "open"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    DELETE = "delete"
    SHARED_MEMORY = "shared memory"


class Code(IntEnum):
    """What a call answers (https://www.sqlite.org/rescode.html); a failing one as the real VFS would."""

    OK = 0
    FULL = 13
    CANTOPEN = 14
    IOERR_WRITE = 10 | 3 << 8
    IOERR_FSYNC = 10 | 4 << 8
    IOERR_TRUNCATE = 10 | 6 << 8
    IOERR_DELETE = 10 | 10 << 8
    IOERR_SHMMAP = 10 | 21 << 8


class Watcher(Protocol):
    """What is asked before a call, and told of those that succeeded. It is called from any thread."""

    folder: Path

    def before(self, op: Op, path: str, size: int) -> tuple[Code, int]:
        """Whether the call may go on (OK), or what it answers instead; of a write, how many bytes are written still."""

    def opened(self, path: str) -> None:
        """A file is about to be opened, perhaps made."""

    def written(self, path: str, offset: int, data: bytes) -> None:
        """Bytes were written."""

    def truncated(self, path: str, size: int) -> None:
        """The file was cut."""

    def synced(self, path: str, *, done: bool) -> None:
        """The file was synced, or that failed."""

    def deleted(self, path: str) -> None:
        """The file was deleted."""


_INT, _I64, _PTR = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
_Write = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT, _I64)
_Truncate = ctypes.CFUNCTYPE(_INT, _PTR, _I64)
_Sync = ctypes.CFUNCTYPE(_INT, _PTR, _INT)
_Close = ctypes.CFUNCTYPE(_INT, _PTR)
_ShmMap = ctypes.CFUNCTYPE(_INT, _PTR, _INT, _INT, _INT, ctypes.POINTER(_PTR))
_Open = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _PTR, _INT, ctypes.POINTER(_INT))  # SQLite keeps the name: not a copy
_Delete = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT)


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_: ClassVar = [
        ("version", _INT),
        ("close", _Close),
        ("read", _PTR),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        *((name, _PTR) for name in ("file_size", "lock", "unlock", "check_lock", "control", "sector", "device")),
        ("shm_map", _ShmMap),
        *((name, _PTR) for name in ("shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch")),
    ]


class _File(ctypes.Structure):
    """sqlite3_file: what the real VFS keeps behind its methods is its own."""

    _fields_: ClassVar = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_: ClassVar = [
        ("version", _INT),
        ("file_bytes", _INT),
        ("path_max", _INT),
        ("next", _PTR),
        ("name", ctypes.c_char_p),
        ("data", _PTR),
        ("open", _Open),
        ("delete", _Delete),
        *((name, _PTR) for name in ("access", "full_path", "dl_open", "dl_error", "dl_sym", "dl_close")),
        *((name, _PTR) for name in ("randomness", "sleep", "current_time", "last_error", "current_time_64")),
        *((name, _PTR) for name in ("set_system_call", "get_system_call", "next_system_call")),
    ]


def _library() -> ctypes.CDLL:
    """The library the driver calls, whether it is linked to it or holds it."""
    found = ctypes.CDLL(_sqlite3.__file__)
    found.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    found.sqlite3_vfs_register.argtypes = [ctypes.POINTER(_Vfs), _INT]
    found.sqlite3_vfs_unregister.argtypes = [ctypes.POINTER(_Vfs)]
    return found


_KEPT: list[Any] = []  # what C holds pointers to must never be collected


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have every SQLite file of this process that is opened in the watcher's folder go through it.

    Close those connections before this ends.
    """
    library = _library()
    real = library.sqlite3_vfs_find(None)
    shim = _Vfs.from_buffer_copy(real.contents)
    shim.name, shim.next = b"watched", None
    files = _Files(watcher)

    def opening(vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        if Path(path).parent != watcher.folder:
            return int(real.contents.open(vfs, name, file, flags, out))
        code, _ = watcher.before(Op.OPEN, path, 0)
        if code is not Code.OK:
            _File.from_address(file).methods = None  # the caller must not close what was never opened
            return code
        watcher.opened(path)
        answer = int(real.contents.open(vfs, name, file, flags, out))
        if answer == Code.OK:
            files.exchange(file, path)
        return answer

    def deleting(vfs: int, name: int, sync: int) -> int:
        path = os.fsdecode(ctypes.string_at(name))
        if Path(path).parent != watcher.folder:
            return int(real.contents.delete(vfs, name, sync))
        code, _ = watcher.before(Op.DELETE, path, 0)
        if code is not Code.OK:
            return code
        answer = int(real.contents.delete(vfs, name, sync))
        if answer == Code.OK:
            watcher.deleted(path)
        return answer

    shim.open, shim.delete = _Open(opening), _Delete(deleting)
    _KEPT.extend((shim, shim.open, shim.delete, files))
    if library.sqlite3_vfs_register(ctypes.byref(shim), 1) != Code.OK:
        raise OSError("the VFS was not taken")
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(shim))
        library.sqlite3_vfs_register(real, 1)


class _Files:
    """The open files: which path each is, and methods that ask the watcher before they do what the real ones do."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._paths: dict[int, str] = {}
        self._made: dict[int, _Methods] = {}

    def exchange(self, file: int, path: str) -> None:
        """Give an opened file the asking methods."""
        self._paths[file] = path
        opened = _File.from_address(file)
        real = ctypes.addressof(opened.methods.contents)
        if real not in self._made:
            self._made[real] = self._asking(opened.methods.contents)
        opened.methods = ctypes.pointer(self._made[real])

    def _asking(self, real: _Methods) -> _Methods:
        made = _Methods.from_buffer_copy(real)
        watcher, paths = self._watcher, self._paths

        def write(file: int, data: int, size: int, offset: int) -> int:
            path = paths[file]
            code, still = watcher.before(Op.WRITE, path, size)
            if code is Code.OK or still:
                size = size if code is Code.OK else still
                answer = int(real.write(file, data, size, offset))
                if answer != Code.OK:
                    return answer
                watcher.written(path, offset, ctypes.string_at(data, size))
            return code

        def truncate(file: int, size: int) -> int:
            return self._ask(Op.TRUNCATE, file, lambda: real.truncate(file, size), lambda p: watcher.truncated(p, size))

        def sync(file: int, flags: int) -> int:
            path = paths[file]
            code, _ = watcher.before(Op.SYNC, path, 0)
            answer = int(real.sync(file, flags)) if code is Code.OK else code
            watcher.synced(path, done=answer == Code.OK)
            return answer

        def shm_map(file: int, region: int, size: int, extend: int, out: Any) -> int:
            if not extend:
                return int(real.shm_map(file, region, size, extend, out))
            return self._ask(Op.SHARED_MEMORY, file, lambda: real.shm_map(file, region, size, extend, out))

        def close(file: int) -> int:
            paths.pop(file, None)
            return int(real.close(file))

        made.write, made.truncate, made.sync = _Write(write), _Truncate(truncate), _Sync(sync)
        made.shm_map, made.close = _ShmMap(shm_map), _Close(close)
        _KEPT.extend((real, made, made.write, made.truncate, made.sync, made.shm_map, made.close))
        return made

    def _ask(self, op: Op, file: int, act: Callable[[], int], done: Callable[[str], None] = lambda _: None) -> int:
        path = self._paths[file]
        code, _ = self._watcher.before(op, path, 0)
        answer = int(act()) if code is Code.OK else code
        if answer == Code.OK:
            done(path)
        return answer
