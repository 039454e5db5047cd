"""Reads the bundle that ``tools/collect_host.sh`` writes; whatever else comes is refused.

The file is text with sections of stated lengths, so that nothing in it is ever a path to
write to, a link or a nested archive. Every limit holds before memory is spent on it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from audits.errors import BundleRejected
from audits.models.collectors import MAX_BUNDLE_BYTES, Bundle, Section, SectionState

MAX_UNPACKED: Final = 32 << 20
MAX_RATIO: Final = 200
"""Texts of this kind shrink to a tenth; what grows more than this is a bomb."""
MAX_SECTIONS: Final = 600
MAX_SECTION: Final = 4 << 20
_MAX_HEADER: Final = 600
_MAX_META: Final = 64
_FIRST: Final = b"GOVSECOPS-BUNDLE 1\n"
_GZIP: Final = b"\x1f\x8b"
_HEADER: Final = re.compile(
    r"@ (ok|cut|failed|missing|denied) ([0-9]{1,3}) ([0-9]{1,8}) ([0-9a-f]{64}) "
    r"([a-z][a-z0-9_.]{0,39})(?::([^\x00-\x1f\x7f-\x9f]{1,255}))?"
)
_END: Final = re.compile(r"@end ([0-9]{1,4}) ([0-9a-f]{64})")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")


def open_bundle(content: bytes) -> Bundle:
    """Return the bundle in ``content``; raise ``BundleRejected`` for anything that is none."""
    if len(content) > MAX_BUNDLE_BYTES:
        raise BundleRejected(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes")
    plain = _unpacked(content) if content.startswith(_GZIP) else content
    if not plain.startswith(_FIRST):
        raise BundleRejected("this is no bundle of collect_host.sh")
    return _checked(_sections(plain))


def _unpacked(content: bytes) -> bytes:
    limit = min(MAX_UNPACKED, MAX_RATIO * len(content))
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(content, limit + 1)
    except zlib.error as error:
        raise BundleRejected("the compressed file is damaged") from error
    if len(plain) > limit:
        raise BundleRejected("the file unpacks to more than a bundle may have")
    if not unpacker.eof or unpacker.unused_data:
        raise BundleRejected("the compressed file ends early, or more follows it")
    return plain


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    state: SectionState
    exit_code: int
    size: int
    digest: str


def _sections(plain: bytes) -> dict[str, Section]:
    """Return the sections by name, in the order of the file."""
    position, found = len(_FIRST), dict[str, Section]()
    manifest = hashlib.sha256()
    while True:
        line, position = _line(plain, position)
        end = _END.fullmatch(line)
        if end is not None:
            if position != len(plain):
                raise BundleRejected("more follows the end of the bundle")
            whole = hmac.compare_digest(manifest.hexdigest(), end[2])
            if int(end[1]) != len(found) or not whole:
                raise BundleRejected("the list of sections was changed")
            return found
        header = _header(line)
        if header.name in found:
            raise BundleRejected(f"section {header.name!r} stands twice")
        if len(found) == MAX_SECTIONS:
            raise BundleRejected(f"a bundle has at most {MAX_SECTIONS} sections")
        manifest.update(line.encode() + b"\n")
        found[header.name] = _section(header, plain, position)
        position += header.size + 1


def _line(plain: bytes, position: int) -> tuple[str, int]:
    end = plain.find(b"\n", position, position + _MAX_HEADER)
    if end < 0:
        raise BundleRejected(f"no line of a section at byte {position}")
    try:
        return plain[position:end].decode(), end + 1
    except UnicodeDecodeError as error:
        raise BundleRejected(f"no line of a section at byte {position}") from error


def _header(line: str) -> _Header:
    found = _HEADER.fullmatch(line)
    if found is None:
        raise BundleRejected(f"no line of a section: {line[:80]!r}")
    state, exit_code, size, digest, name, place = found.groups()
    if place is not None and ".." in place.split("/"):
        # nothing is ever written under such a name; who sends one means harm
        raise BundleRejected(f"a section's place climbs: {place[:80]!r}")
    full = name if place is None else f"{name}:{place}"
    return _Header(full, cast("SectionState", state), int(exit_code), int(size), digest)


def _section(header: _Header, plain: bytes, position: int) -> Section:
    end = position + header.size
    if header.size > MAX_SECTION:
        raise BundleRejected(f"section {header.name!r} has more than {MAX_SECTION} bytes")
    if plain[end : end + 1] != b"\n":
        raise BundleRejected(f"section {header.name!r} does not end where it says")
    content = plain[position:end]
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), header.digest):
        raise BundleRejected(f"section {header.name!r} was changed")
    # what is no UTF-8 is shown as such; no parser takes it for a word it knows
    return Section(header.name, header.state, header.exit_code, content.decode(errors="replace"))


def _checked(sections: Mapping[str, Section]) -> Bundle:
    meta = _meta(sections.get("meta"))
    host, collector, finished = meta.get("host", ""), meta.get("collector"), meta.get("finished")
    if not _HOST.fullmatch(host):
        raise BundleRejected("the bundle does not name its host")
    if not _DIGITS.fullmatch(collector or "") or not _DIGITS.fullmatch(finished or ""):
        raise BundleRejected("the bundle does not say when and by what it was made")
    return Bundle(sections, meta, int(collector or 0), host, int(finished or 0))


def _meta(section: Section | None) -> dict[str, str]:
    if section is None or not section.is_read:
        raise BundleRejected("the bundle does not say what it is of")
    lines = section.text.splitlines()[:_MAX_META]
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip()[:400] for name, _, value in pairs}
