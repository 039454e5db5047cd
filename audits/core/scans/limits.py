"""How much of a scanner's file is taken, and how its words become ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from typing import Final

from audits.errors.rectification import ScanRejected
from audits.models.risks import SEVERITIES, ParsedFinding, Severity
from secops.kernel.canonical import canonical

MAX_FILE: Final = 20 << 20
"""Bytes of a scanner's file."""
MAX_FINDINGS: Final = 10_000
MAX_TEXT: Final = 2_000
MAX_NAME: Final = 300
_SCORES: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
"""The qualitative scale of CVSS 3.1 §5."""
_WORDS: Final[Mapping[str, Severity]] = {
    "critical": "critical",
    "严重": "critical",
    "紧急": "critical",
    "超危": "critical",
    "urgent": "critical",
    "high": "high",
    "高": "high",
    "高危": "high",
    "高风险": "high",
    "error": "high",
    "serious": "high",
    "medium": "medium",
    "moderate": "medium",
    "中": "medium",
    "中危": "medium",
    "中风险": "medium",
    "warning": "medium",
    "low": "low",
    "低": "low",
    "低危": "low",
    "低风险": "low",
    "note": "low",
    "minor": "low",
    "info": "info",
    "informational": "info",
    "information": "info",
    "信息": "info",
    "提示": "info",
    "none": "info",
    "log": "info",
}


def severity_of(word: str) -> Severity:
    """Return the severity that a scanner's word or CVSS score means; raise ``ScanRejected``."""
    told = word.strip().lower()
    if told in _WORDS:
        return _WORDS[told]
    try:
        score = float(told)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 10:  # noqa: PLR2004 - the range of CVSS; not a number fails too
        raise ScanRejected(f"{word[:40]!r} is no severity")
    for least, severity in _SCORES:
        if score >= least:
            return _WORDS[severity]
    return "info"


def keep_gravest(kept: MutableMapping[str, ParsedFinding], finding: ParsedFinding) -> bool:
    """Keep one finding per fingerprint, the gravest; tell whether it repeats another."""
    before = kept.get(finding.fingerprint)
    if before is None or is_graver(finding.severity, before.severity):
        kept[finding.fingerprint] = finding
    return before is not None


def is_graver(one: Severity, other: Severity) -> bool:
    """Tell whether ``one`` is more severe than ``other``."""
    order = list(SEVERITIES)
    return order.index(one) < order.index(other)


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return ``text`` in one line without control characters, cut to ``limit``."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    return " ".join(shown.split())[:limit]


def source_mark(*parts: str) -> str:
    """Return the SHA-256 (hex) by which a finding, or a source of risk, is known again."""
    return hashlib.sha256(canonical(list(parts))).hexdigest()
