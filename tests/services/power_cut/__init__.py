"""Power cuts, simulated: a trace of what a process asked the disk for, replayed up to a moment.

What was synced is there. Each write that was not survives by the toss of a coin, a fifth of those
torn at 512 bytes; of each folder's names that were not synced a prefix survives, in order. Not
modelled: memory maps, preallocation by the system, a disk that lies about its syncs.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SHIM = Path(__file__).parent / "shim.c"
_HEAD = struct.Struct("<IIIQQ")
_SECTOR = 512


class Unavailable(Exception):
    """Something of this machine that the simulation needs is missing."""


def build_shim(folder: Path) -> Path:
    """Return the library that logs what a process does to its files."""
    compiler = shutil.which("gcc")
    if compiler is None:
        msg = "no gcc (Debian: gcc, libc6-dev)"
        raise Unavailable(msg)
    made = folder / "shim.so"
    flags = ("-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")
    subprocess.run([compiler, *flags, "-o", made, _SHIM, "-ldl"], check=True, timeout=60)
    return made


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the trace; ``kind`` is a letter of the shim's."""

    kind: str
    path: str
    other: str
    at: int
    data: bytes


def read_trace(trace: Path) -> Iterator[Operation]:
    """Yield the operations of a trace in their order."""
    content = trace.read_bytes()
    place = 0
    while place + _HEAD.size <= len(content):
        kind, path_size, other_size, at, size = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        path = content[place : place + path_size].decode()
        place += path_size
        other = content[place : place + other_size].decode()
        place += other_size
        data = content[place : place + size]
        place += size
        yield Operation(chr(kind), path, other, at, data)


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for at, data in self.pending:
            _apply(self.durable, at, data)
        self.pending.clear()

    def after_the_cut(self, dice: random.Random) -> bytes:
        content = bytearray(self.durable)
        for at, data in self.pending:
            if dice.random() < 0.5:
                _apply(content, at, _torn(data, dice))
        return bytes(content)


def _torn(data: bytes | None, dice: random.Random) -> bytes | None:
    """Return ``data``, or in a fifth of the cases whole sectors from its beginning."""
    if data is None or len(data) <= _SECTOR or dice.random() >= 0.2:
        return data
    return data[: dice.randrange(len(data)) // _SECTOR * _SECTOR]


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    """Write ``data`` at ``at``; None cuts or lengthens the file to ``at``."""
    end = at if data is None else at + len(data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is None:
        del content[at:]
    else:
        content[at:end] = data


@dataclass(slots=True)
class _Folder:
    live: dict[str, _File | _Folder] = field(default_factory=dict)
    durable: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[dict[str, _File | _Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, _File | _Folder | None]) -> None:
        _change(self.live, names)
        self.pending.append(names)

    def sync(self) -> None:
        self.durable = dict(self.live)
        self.pending.clear()

    def after_the_cut(self, dice: random.Random) -> dict[str, _File | _Folder]:
        names = dict(self.durable)
        for change in self.pending[: dice.randint(0, len(self.pending))]:
            _change(names, change)
        return names


def _change(names: dict[str, _File | _Folder], change: dict[str, _File | _Folder | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """What a disk holds and what only the kernel does; ``base`` was durable at the beginning."""

    def __init__(self, root: Path, base: Path) -> None:
        self._root = str(root)
        self._top = _folder_of(base)

    def run(self, operation: Operation) -> None:
        """Do one operation."""
        folder, name = self._parent(operation.path)
        node = folder.live.get(name) if name else folder
        match operation.kind, node:
            case "w", _File():
                node.pending.append((operation.at, operation.data))
            case "t", _File():
                node.pending.append((operation.at, None))
            case "s", _File() | _Folder():
                node.sync()
            case "c", None:
                folder.change({name: _File()})
            case "m", None:
                folder.change({name: _Folder()})
            case "u", _File():
                folder.change({name: None})
            case "r", _File() | _Folder():
                target, new = self._parent(operation.other)
                if target is not folder:
                    msg = "a rename between folders is not modelled"
                    raise NotImplementedError(msg)
                folder.change({name: None, new: node})
            case _:
                msg = f"the trace does not fit the disk: {operation.kind} {operation.path}"
                raise ValueError(msg)

    def cut(self, dice: random.Random, target: Path) -> None:
        """Write what is left after a power cut now to ``target``."""
        _write(self._top, dice, target)

    def _parent(self, path: str) -> tuple[_Folder, str]:
        folder = self._top
        parts = [part for part in path.removeprefix(self._root).split("/") if part]
        for part in parts[:-1]:
            found = folder.live[part]
            assert isinstance(found, _Folder), path
            folder = found
        return folder, parts[-1] if parts else ""


def _folder_of(path: Path) -> _Folder:
    names: dict[str, _File | _Folder] = {}
    for each in path.iterdir():
        is_folder = each.is_dir()
        names[each.name] = _folder_of(each) if is_folder else _File(bytearray(each.read_bytes()))
    return _Folder(names, dict(names))


def _write(folder: _Folder, dice: random.Random, target: Path) -> None:
    target.mkdir(parents=True)
    for name, node in folder.after_the_cut(dice).items():
        if isinstance(node, _Folder):
            _write(node, dice, target / name)
        else:
            (target / name).write_bytes(node.after_the_cut(dice))
