"""A rule folder as a zip that somebody sent: read in memory, never unpacked onto the disk.

What the archive says of itself is not believed: entries are counted before they are listed, sizes
are counted as bytes come out, and a name is a place below the folder or refuses the whole.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from detectors.adapters.rule_places import MAX_DEPTH, MAX_FILE, is_notice, is_rule
from detectors.errors import RuleFolderRefused
from detectors.models.rule_folders import Collected
from detectors.models.rules import RuleFile

MAX_ENTRIES: Final = 20_000
MAX_UNPACKED: Final = 64 << 20
_ENTRY: Final = b"PK\x01\x02"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1
_UNIX_MODE: Final = 16


def collect_archive(content: bytes) -> Collected:
    """Return the rules and licence texts in a zip; raise ``RuleFolderRefused`` for any doubt."""
    if content.count(_ENTRY) > MAX_ENTRIES:
        msg = f"the archive lists more than {MAX_ENTRIES} entries"
        raise RuleFolderRefused(msg)
    files: list[RuleFile] = []
    notices: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for place, inner in _contents(archive):
                if is_rule(place):
                    files.append(RuleFile(place, inner))
                else:
                    notices[place] = inner
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        msg = f"the archive can't be read: {str(error)[:100]}"
        raise RuleFolderRefused(msg) from error
    return Collected(tuple(sorted(files, key=lambda file: file.path)), notices)


def _contents(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    total = 0
    for entry in archive.infolist():
        place = _place(entry)
        if entry.is_dir() or any(part.startswith(".") for part in place.parts):
            continue
        name = str(place)
        if not (is_rule(name) or is_notice(name)):
            continue
        if name in seen:
            msg = f"{name} is there twice"
            raise RuleFolderRefused(msg)
        seen.add(name)
        inner = _read(archive, entry)
        total += len(inner)
        if total > MAX_UNPACKED:
            msg = f"{name}: more than {MAX_UNPACKED} bytes in all"
            raise RuleFolderRefused(msg)
        yield name, inner


def _place(entry: zipfile.ZipInfo) -> PurePosixPath:
    """Return where an entry lies below the folder; raise ``RuleFolderRefused`` for elsewhere."""
    name = entry.orig_filename
    place = PurePosixPath(name)
    leads_away = place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name
    if leads_away or not name.isprintable() or not place.parts:
        msg = f"{name[:100]!r} is no place in a folder"
        raise RuleFolderRefused(msg)
    if len(place.parts) > MAX_DEPTH + 1:
        msg = f"{name[:100]!r}: deeper than {MAX_DEPTH} folders"
        raise RuleFolderRefused(msg)
    mode = stat.S_IFMT(entry.external_attr >> _UNIX_MODE)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        msg = f"{place} is no plain file: it could lead anywhere"
        raise RuleFolderRefused(msg)
    return place


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        msg = f"{entry.filename[:100]!r} is encrypted, or packed in a way that is not read"
        raise RuleFolderRefused(msg)
    with archive.open(entry) as stream:
        content = stream.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        msg = f"{entry.filename[:100]!r} is larger than {MAX_FILE} bytes"
        raise RuleFolderRefused(msg)
    return content
