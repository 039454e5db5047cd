"""The zip of an OFD, read so that every other reader sees the same files.

What could show one reader something else is refused: a name twice (in any case or form),
names that leave the package, links, encryption, local headers that differ from the central
directory, entries that overlap, and what unpacks beyond the limits.
"""

from __future__ import annotations

import io
import posixpath
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from secops.crypto.hashes import stream

MAX_ENTRIES: Final = 5_000
MAX_ENTRY: Final = 64 << 20
MAX_TOTAL: Final = 128 << 20
_PIECE: Final = 1 << 20
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_LOCAL_SIGNATURE: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 0x2061
"""Any kind of encryption, masked headers, patches."""
_DESCRIPTOR: Final = 0x8
_DESCRIPTOR_SIZES: Final = frozenset({12, 16, 20, 24})
"""With or without its signature, 32 or 64 bits."""
_UTF8: Final = 0x800
_ZIP64: Final = 0xFFFFFFFF
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    IndexError,
)
"""What ``zipfile`` raises for damaged input; RuntimeError is "not implemented", too."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class OfdError(ValueError):
    """The file is no OFD that can be judged; the message says where and why."""


class OfdPackage:
    """The entries of an OFD by path, without a leading slash."""

    def __init__(self, content: bytes) -> None:
        """Open ``content``; raise ``OfdError`` for anything that readers could differ about."""
        self._content = content
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _ZIP_ERRORS as error:
            raise _refusal("not a zip file", error) from error
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_TOTAL:
            msg = f"more than {MAX_ENTRIES} entries or {MAX_TOTAL >> 20} MiB unpacked"
            raise OfdError(msg)
        self._check_extents(infos)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in infos:
            name = self._checked_name(info)
            key = unicodedata.normalize("NFC", name).casefold()
            if key in folded:
                msg = f"{name} is there twice"
                raise OfdError(msg)
            folded.add(key)
            if not info.is_dir():
                self._entries[name] = info
        self._digests: dict[str, bytes] = {}

    @property
    def names(self) -> frozenset[str]:
        """The paths of all files."""
        return frozenset(self._entries)

    def size(self, name: str) -> int:
        """Return how many bytes a file of ``names`` unpacks to."""
        return self._entries[name].file_size

    def read(self, name: str, limit: int = MAX_ENTRY) -> bytes:
        """Return the unpacked bytes; raise ``OfdError`` if it is missing, broken or larger."""
        return b"".join(self._pieces(name, min(limit, MAX_ENTRY), limit))

    def digest(self, name: str) -> bytes:
        """Return the SM3 of the unpacked bytes, of which few are in memory at a time."""
        if name not in self._digests:
            engine = stream("sm3")
            for piece in self._pieces(name, MAX_ENTRY, _PIECE):
                engine.update(piece)
            self._digests[name] = engine.finalize()
        return self._digests[name]

    def is_unchanged(self, name: str, digest: bytes) -> bool:
        """Tell whether the file is there and has this SM3."""
        return name in self._entries and self.digest(name) == digest

    def _pieces(self, name: str, limit: int, piece: int) -> Iterator[bytes]:
        """Yield the unpacked bytes, ``piece`` at a time; raise ``OfdError`` as ``read`` does."""
        info = self._entries.get(name)
        if info is None:
            msg = f"{name} is missing"
            raise OfdError(msg)
        if info.file_size > limit:
            msg = f"{name} is too large"
            raise OfdError(msg)
        size = 0
        try:
            with self._zip.open(info) as opened:
                while found := opened.read(min(piece, info.file_size - size + 1)):
                    size += len(found)
                    yield found
        except _ZIP_ERRORS as error:
            raise _refusal(f"{name} can't be unpacked", error) from error
        if size != info.file_size:
            msg = f"{name} unpacks to another size than it says"
            raise OfdError(msg)

    def _checked_name(self, info: zipfile.ZipInfo) -> str:
        """Return the entry's path; raise ``OfdError`` if it is not plain or not the local one."""
        utf8 = bool(info.flag_bits & _UTF8)
        stored = info.orig_filename.encode("utf-8" if utf8 else "cp437", "surrogateescape")
        try:
            name = stored.decode()
        except UnicodeDecodeError:
            name = info.orig_filename
        plain = name.removesuffix("/")
        parts = plain.split("/")
        if not plain.isprintable() or "\\" in plain or {"", ".", ".."} & set(parts):
            msg = f"the name {name!r} is not a plain path"
            raise OfdError(msg)
        if ":" in parts[0] or stat.S_ISLNK(info.external_attr >> 16):
            msg = f"{name!r} leaves the package"
            raise OfdError(msg)
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            msg = f"{name} is encrypted or packed in a way that is not accepted"
            raise OfdError(msg)
        self._check_local(info, stored)
        return name

    def _check_local(self, info: zipfile.ZipInfo, stored: bytes) -> None:
        start = info.header_offset
        fields = _LOCAL.unpack_from(self._content, start)
        signature, _, flags, method = fields[:4]
        crc, packed, unpacked, length = fields[6:10]
        name = self._content[start + _LOCAL.size : start + _LOCAL.size + length]
        known = (info.CRC, info.compress_size, info.file_size)
        sizes_agree = flags & _DESCRIPTOR or _ZIP64 in (packed, unpacked)
        same = sizes_agree or (crc, packed, unpacked) == known
        if signature != _LOCAL_SIGNATURE or name != stored or method != info.compress_type:
            same = False
        if not same or (flags ^ info.flag_bits) & (_ENCRYPTED | _DESCRIPTOR):
            msg = f"{info.orig_filename!r} differs between its local header and the directory"
            raise OfdError(msg)

    def _check_extents(self, infos: list[zipfile.ZipInfo]) -> None:
        """Raise ``OfdError`` unless the entries fill the file up to the directory, in a row.

        Readers that go from header to header see the same entries then, and no others.
        """
        place = 0
        slack = frozenset({0})
        for info in sorted(infos, key=lambda each: each.header_offset):
            if info.header_offset - place not in slack:
                msg = "entries overlap, or something lies between them"
                raise OfdError(msg)
            # the directory lies behind, so a whole header's bytes are there
            fields = _LOCAL.unpack_from(self._content, info.header_offset)
            flags, name_length, extra_length = fields[2], fields[9], fields[10]
            place = info.header_offset + _LOCAL.size + name_length + extra_length
            place += info.compress_size
            slack = _DESCRIPTOR_SIZES if flags & _DESCRIPTOR else frozenset({0})
        if self._zip.start_dir - place not in slack:
            msg = "something lies between the last entry and the directory"
            raise OfdError(msg)


def resolve(path: str, holder: str) -> str:
    """Return ``path``, found in the file ``holder``, as a path of the package.

    ``/…`` starts at the root, else at the folder of ``holder``. Raises ``OfdError`` for one
    that leaves the package.
    """
    path = path.strip()
    joined = path if path.startswith("/") else posixpath.join(posixpath.dirname(holder), path)
    plain = posixpath.normpath(joined.lstrip("/"))
    if not path or "\\" in path or plain == ".." or plain.startswith("../"):
        msg = f"the path {path!r} leaves the package"
        raise OfdError(msg)
    return plain


def write_package(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the zip of ``files`` in their order, taken one at a time; the same, the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def _refusal(what: str, error: Exception) -> OfdError:
    return OfdError(f"{what} ({type(error).__name__})")
