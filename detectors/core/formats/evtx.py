"""Raw EVTX files: chunks of 64 KiB with records in binary XML.

The library (PyPI ``evtx``) skips a cut-off last chunk without a word; here it is filled up
with zeros, so that whole records in it are kept, and the cut is reported.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, Final

import orjson
from evtx import PyEvtxParser

from detectors.core.formats.ecs import parse_windows
from detectors.core.formats.record import BadLine, Context, Parsed
from detectors.models.privacy import Prepared

MAGIC: Final = b"ElfFile\x00"
_HEADER: Final = 4_096
_CHUNK: Final = 65_536
_CHUNK_COUNT: Final = struct.Struct("<42xH")
_MAX_FAULTS: Final = 1_000

Item = tuple[bytes, Parsed | BadLine, Prepared | None]


def read_evtx(content: bytes, context: Context) -> Iterator[Item]:
    """Yield each record as its JSON bytes and what they say, faults as ``BadLine``."""
    for raw, fault in raw_records(content):
        if fault is not None:
            yield raw, fault, None
            continue
        prepared = None if context.prepare is None else context.prepare(raw)
        line = raw if prepared is None else prepared.raw
        yield line, parse_record(line, context), prepared


def raw_records(content: bytes) -> Iterator[tuple[bytes, BadLine | None]]:
    """Yield each record as its JSON bytes, and faults."""
    if not content.startswith(MAGIC) or len(content) < _HEADER:
        yield content[:_HEADER], BadLine("not_evtx", "the file header is missing or cut off")
        return
    body = len(content) - _HEADER
    chunks = _CHUNK_COUNT.unpack_from(content)[0]
    missing = -body % _CHUNK
    if missing:
        yield b"", BadLine("truncated", f"the file ends inside a chunk, at byte {len(content)}")
    elif body // _CHUNK < chunks:
        yield b"", BadLine("truncated", f"{body // _CHUNK} of {chunks} chunks are there")
    yield from _parsed(content + bytes(missing))


def _parsed(content: bytes) -> Iterator[tuple[bytes, BadLine | None]]:
    try:
        records = iter(PyEvtxParser(io.BytesIO(content), number_of_threads=1).records_json())
    except (OSError, RuntimeError) as error:
        yield b"", BadLine("not_evtx", str(error)[:200])
        return
    faults = 0
    while faults < _MAX_FAULTS:
        try:
            record: Any = next(records)
        except StopIteration:
            return
        except (OSError, RuntimeError) as error:
            faults += 1
            yield b"", BadLine("damaged_record", str(error)[:200])
            continue
        yield record["data"].encode("utf-8", "replace"), None
    yield b"", BadLine("too_many_faults", f"{_MAX_FAULTS} damaged records: reading stopped")


def parse_record(raw: bytes, context: Context) -> Parsed | BadLine:
    """Read one record's JSON."""
    try:
        event = orjson.loads(raw).get("Event")
        if not isinstance(event, dict):
            return BadLine("damaged_record", "no Event in it")
        return parse_windows(event, context)
    except orjson.JSONDecodeError:
        return BadLine("damaged_record", "its JSON can't be read")
    except BadLine as bad:
        return bad
