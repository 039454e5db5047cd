"""A verdict as texts for the page, and the asking process's side of setting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kms.adapters.pdf.processes import PdfProcesses
from kms.adapters.pictures import FONTS
from kms.errors.seals import FontMissing
from kms.models.seals import MARKING, SignatureVerdict, Step
from kms.models.verdicts import REMEDIES, STEP_NAMES, FileDigests, VerdictPage
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND, rfc3339_or_none, to_rfc3339

_LONGEST: Final = 600
_MOST: Final = 50
"""Signatures on a page; that there are more is said."""

_MARKS: Final = {"passed": "通过", "failed": "不通过", "open": "未判定"}


@dataclass(frozen=True, slots=True)
class TypstVerdicts:
    """Has verdicts set in a child process, in the first of ``fonts`` that is there."""

    processes: PdfProcesses
    fonts: Sequence[Path] = FONTS

    def render(self, page: VerdictPage) -> bytes:
        """Return ``page`` as an unsigned PDF; raise ``FontMissing``, ``Unavailable``."""
        fonts = [str(path) for path in self.fonts]
        question = {"do": "render", "template": "verdict", "data": _data(page), "fonts": fonts}
        answer, content = self.processes.ask(question, b"")
        if "refused" in answer:
            raise FontMissing(answer["refused"])
        return content


def _data(page: VerdictPage) -> dict[str, Any]:
    report = page.report
    shown = report.signatures[:_MOST]
    warnings = list(report.warnings)
    if len(report.signatures) > _MOST:
        count = len(report.signatures)
        warnings.append(
            Text(
                f"共 {count} 个签名,此处列出前 {_MOST} 个",
                f"{count} signatures, {_MOST} of them shown",
            )
        )
    moment = to_rfc3339(page.judged_at // SECOND * SECOND)
    return {
        "title": "电子印章验证结论",
        "subtitle": "Verdict on a sealed file",
        "footer": f"{MARKING} · {moment}",
        "judged_at": page.judged_at // SECOND,
        "valid": report.valid,
        "conclusion": "有效 / valid" if report.valid else "无效 / NOT valid",
        "marks": _MARKS,
        "columns": ["#", "步骤 step", "结果 result", "说明 why", "处理建议 remedy"],
        "facts": [
            _fact("验证时间 judged at", moment),
            _fact("验证系统 by", page.instance),
            _fact("文件类型 kind", _kind(page)),
            *_digests("文件 file", page.file),
            *([] if page.document is None else _digests("原文 document", page.document)),
            _fact("信任锚 anchors", "; ".join(page.anchors) or "–"),
        ],
        "warnings": [_both(each) for each in warnings],
        "signatures": [_signature(number, each) for number, each in enumerate(shown, 1)],
    }


def _kind(page: VerdictPage) -> str:
    version = page.report.version
    return page.report.kind if version is None else f"{page.report.kind} · v{version}"


def _digests(name: str, file: FileDigests) -> list[dict[str, Any]]:
    return [
        _fact(f"{name}", f"{file.size:,} bytes"),
        _fact("SM3", file.sm3, fixed=True),
        _fact("SHA-256", file.sha256, fixed=True),
    ]


def _signature(number: int, verdict: SignatureVerdict) -> dict[str, Any]:
    return {
        "title": f"签章 {number} · signature {number}",
        "valid": verdict.valid,
        "facts": [
            _fact("印章 seal", verdict.seal_name or "–"),
            _fact("签章人 signer", verdict.signer or "–"),
            _fact("签章时间 signed at", rfc3339_or_none(verdict.signed_at) or "–"),
        ],
        "steps": [_step(each) for each in verdict.steps],
        "warnings": [_both(each) for each in verdict.warnings],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "n": step.n,
        "name": _both(STEP_NAMES[step.what]),
        "ok": step.ok,
        "why": _both(step.why),
        "remedy": {"zh": "", "en": ""} if step.ok else _both(REMEDIES[step.what]),
    }


def _fact(name: str, value: str, *, fixed: bool = False) -> dict[str, Any]:
    return {"name": name, "value": _plain(value), "fixed": fixed}


def _both(text: Text) -> dict[str, str]:
    return {"zh": _plain(text.zh), "en": _plain(text.en)}


def _plain(text: str) -> str:
    """Return ``text`` cut, with what can't be seen (or turns text around) written out."""
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
