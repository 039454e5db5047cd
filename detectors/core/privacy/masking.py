"""Masking a line before it is stored, numbered or hashed.

What is stored and hashed is the masked line, so that not even an id gives away a number that
could be guessed. Stars are ASCII and as many as the characters they replace, so that JSON,
key=value and GB18030 lines stay what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.privacy.scanner import Hit, Scanner, canonical_value
from detectors.models.privacy import (
    DATA_CLASSES,
    DATA_GRADE,
    DATA_LEAK,
    DATA_SUBJECTS,
    DATA_UNTRACED,
    GRADES,
    DataClass,
    Prepared,
    SourcePolicy,
)
from secops.kernel.logs import Value

SubjectDigest = Callable[[bytes], bytes]
"""HMAC under a key that never leaves the pool."""
MAX_SUBJECTS: Final = 64
_DIGEST_LENGTH: Final = 16
_STAR: Final = ord("*")
_KEPT: Final = frozenset(b" -@.")


@dataclass(frozen=True, slots=True)
class Masker:
    """Prepares the lines of one source by its ``policy``.

    Classes that the policy doesn't mask are only found and graded. ``digest`` is asked for
    values that name somebody; None says that no key is to be had.
    """

    scanner: Scanner
    policy: SourcePolicy
    digest: SubjectDigest | None

    def __call__(self, line: bytes) -> Prepared:
        """Return ``line`` as it may be stored, and what was found in it."""
        hits = self.scanner.find(line)
        if not hits:
            return Prepared(line)
        raw = bytearray(line)
        for hit in hits:
            if hit.data_class.id in self.policy.masked:
                _star(raw, hit)
        masked = bytes(raw)
        original = line if self.policy.keeps_originals and masked != line else None
        return Prepared(masked, self._fields(line, hits), original)

    def sift(self, lines: Sequence[bytes]) -> Collection[int]:
        """Return which of ``lines`` have to be prepared; all others would stay as they are."""
        return self.scanner.suspects(lines)

    def _fields(self, line: bytes, hits: Sequence[Hit]) -> dict[str, Value]:
        grade = max((hit.data_class.grade for hit in hits), key=GRADES.index)
        classes = tuple(dict.fromkeys(hit.data_class.id for hit in hits))
        fields: dict[str, Value] = {DATA_CLASSES: classes, DATA_GRADE: grade}
        if GRADES.index(grade) > GRADES.index(self.policy.grade):
            fields[DATA_LEAK] = "true"
        if self.digest is None:
            if any(hit.data_class.subject for hit in hits):
                fields[DATA_UNTRACED] = "true"
        elif subjects := self._subjects(line, hits, self.digest):
            fields[DATA_SUBJECTS] = subjects
        return fields

    def _subjects(self, line: bytes, hits: Sequence[Hit], digest: SubjectDigest) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for hit in hits:
            if hit.data_class.subject and len(found) < MAX_SUBJECTS:
                value = canonical_value(line[hit.start : hit.end])
                found[subject_digest(hit.data_class, value, digest)] = None
        return tuple(found)


def subject_digest(data_class: DataClass, value: str, digest: SubjectDigest) -> str:
    """Return what stands for a value in events: 128 bits of a keyed hash, with its class."""
    keyed = digest(f"{data_class.id}\0{_national(data_class.id, value)}".encode())
    return f"{data_class.id}:{keyed[:_DIGEST_LENGTH].hex()}"


def subject_digests(scanner: Scanner, written: str, digest: SubjectDigest) -> tuple[str, ...]:
    """Return the digests under which a value that somebody typed may be stored."""
    line = written.strip().encode()
    return tuple(
        subject_digest(hit.data_class, canonical_value(line[hit.start : hit.end]), digest)
        for hit in scanner.find(line)
        if hit.data_class.subject and hit.end - hit.start == len(line)
    )


def _national(class_id: str, value: str) -> str:
    """Return a mobile number without its country code: it is the same subject."""
    return value.removeprefix("+").removeprefix("86") if class_id == "cn_mobile" else value


def _star(raw: bytearray, hit: Hit) -> None:
    first, last = hit.data_class.keep
    if first < 0:
        return
    places = [n for n in range(hit.start, hit.end) if raw[n] not in _KEPT]
    for place in places[first : len(places) - last]:
        raw[place] = _STAR
