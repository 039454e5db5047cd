"""Are the segment files what was written? Digests are computed anew from the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hmac import compare_digest
from pathlib import Path

from detectors.adapters.segments.manifest import Manifest, Part, Segment, segment_of
from detectors.adapters.segments.terms import FOOTER, file_of
from detectors.models.logs import SegmentCheck
from secops.crypto.hashes import sha256, sm3


class SegmentFiles:
    """Implements ``ports.SegmentFiles`` over ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check_segments(self) -> Iterator[SegmentCheck]:
        """Yield each segment with the digests its files have now."""
        for segment in Manifest(self._folder).read().ordered():
            yield self._check(segment)

    def _check(self, segment: Segment) -> SegmentCheck:
        parts = []
        for part in segment.parts:
            try:
                content = (self._folder / part.file).read_bytes()
            except FileNotFoundError:
                gone = f"{part.file} is missing"
                return SegmentCheck(segment.name, segment.rows, "", "", gone)
            parts.append(replace(part, sha256=sha256(content).hex(), sm3=sm3(content).hex()))
        bounds = (segment.first_seq, segment.last_seq)
        now = segment_of(segment.name, parts, segment.ids, bounds)
        changed = [new.file for new, old in zip(parts, segment.parts, strict=True) if new != old]
        if not changed:
            changed = [file_of(part.file) for part in parts if not self._has_its_terms(part)]
        problem = f"{changed[0]} was changed" if changed else None
        return SegmentCheck(segment.name, segment.rows, now.sha256, now.sm3, problem)

    def _has_its_terms(self, part: Part) -> bool:
        """Tell whether the keys beside ``part`` are those its footer names, or none are there."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

        try:
            content = (self._folder / file_of(part.file)).read_bytes()
        except FileNotFoundError:
            return True  # nothing is hidden: the part is read whole
        footer = pq.read_metadata(self._folder / part.file).metadata or {}
        return compare_digest(footer.get(FOOTER.encode(), b""), sha256(content).hex().encode())
