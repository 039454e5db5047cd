"""The manifest of an archive, and which evidence belongs into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from secops.kernel.canonical import canonical_record

KIND: Final = "govsecops-archive"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_NAMES: Final = ("sha256", "raw", "digest")


def manifest_of(
    document: Mapping[str, Any], files: Sequence[Mapping[str, Any]], missing: Sequence[str]
) -> bytes:
    """Return the manifest: each file with size and digests, and evidence that is kept no more."""
    return canonical_record(
        {
            "v": 1,
            "kind": KIND,
            "assessment": document["id"],
            "standard": document["standard"],
            "level": document["level"],
            "made_at": document["made_at"],
            "files": [dict(file) for file in files],
            "missing_evidence": list(missing),
        }
    )


def evidence_digests(document: Mapping[str, Any]) -> list[str]:
    """Return the SHA-256 of all evidence that a document names, each once, sorted.

    Snapshots by ``facts``; raw outputs and documents of persons by what the items, tasks,
    waivers, risks and records say of them.
    """
    named = {str(digest) for digest in document["facts"].values()}
    for annex in ("items", "high_risks", "tasks", "waivers", "risks", "records"):
        named |= set(_digests(document.get(annex)))
    return sorted(digest for digest in named if _DIGEST.match(digest))


def _digests(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _NAMES and isinstance(inner, str):
                yield inner
            else:
                yield from _digests(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _digests(inner)
