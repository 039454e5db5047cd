"""What a seal on a PDF costs, and a verdict: processor time of this process and its children."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kms.models.stamps import StampRequest
    from kms.service import KmsServices
    from secops.kernel.actors import Actor

_SECONDS: Final = 2.0
_AT_ONCE: Final = 10
_HOUR: Final = 3_600
_TASKS: Final = Path("/proc/self/task")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_TIMES: Final = slice(11, 15)
"""utime, stime, cutime and cstime of /proc/PID/stat, counted behind the command's name."""

_PDFS_BAR: Final = 10_000
_VERDICTS_BAR: Final = 200


def seal_figures(services: KmsServices, holder: Actor) -> list[dict[str, Any]]:
    """Return PDFs sealed an hour and core, and verdicts per CPU-second.

    ``holder`` may use the newest active seal of the organisation.
    """
    from kms.models.stamps import PADES_LEVELS, PadesForm, StampRequest  # noqa: PLC0415
    from secops.crypto.hashes import sm3  # noqa: PLC0415 - quick --help, as above
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    document = _page()
    listed = services.seal_registry.list_seals(holder, PageRequest())
    seal_id = next(each.id for each in listed.items if each.state == "active")
    value = services.seal_using.use_seal(
        holder, seal_id, document_digest=sm3(document), purpose="bench"
    ).value

    def seal(wish: StampRequest) -> bytes:
        return services.seal_stamping.stamp_document(holder, seal_id, wish).document

    found = []
    for level in PADES_LEVELS:
        wish = StampRequest(document, purpose="bench", pades=PadesForm(level))
        rate = _HOUR * _per_cpu_second(partial(seal, wish))
        found.append(_pdfs(f"PDF sealed, PAdES {level.upper()}, ECDSA P-256", rate))
    wish = StampRequest(document, purpose="bench", pades=PadesForm("b-b", "rsa-3072"))
    rate = _HOUR * _per_cpu_second(partial(seal, wish))
    found.append(_pdfs("PDF sealed, PAdES B-B, RSA-3072", rate))
    verify = services.seal_verification.verify_seal
    rate = _per_cpu_second(partial(verify, value, document))
    reached = "reached" if rate >= _VERDICTS_BAR else "NOT REACHED"
    note = f"SES_Signature and its document; bar >= {_VERDICTS_BAR}: {reached}"
    found.append(_verdicts("seal verified", rate, note))
    sealed = seal(StampRequest(document, purpose="bench", pades=PadesForm("b-b")))
    rate = _per_cpu_second(partial(verify, sealed, None))
    found.append(_verdicts("sealed PDF verified", rate, "PAdES B-B, the child process counted in"))
    return found


def _per_cpu_second(work: Callable[[], object]) -> float:
    """Return how often a CPU-second allows ``work``, that of child processes counted in."""
    work()
    count, started = 0, _spent()
    while True:
        for _ in range(_AT_ONCE):
            work()
        count += _AT_ONCE
        if (spent := _spent() - started) >= _SECONDS:
            return count / max(spent, 1 / _TICKS)


def _spent() -> float:
    """Return the processor time of this process, of its children, and of theirs that ended."""
    children = [name for task in _TASKS.iterdir() for name in _children(task)]
    ticks = sum(map(_ticks, children))
    return time.process_time() + ticks / _TICKS


def _children(task: Path) -> list[str]:
    try:
        return (task / "children").read_text(encoding="ascii").split()
    except FileNotFoundError:  # a thread that has ended
        return []


def _ticks(process: str) -> int:
    try:
        stat = Path("/proc", process, "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    return sum(map(int, stat.rpartition(")")[2].split()[_TIMES]))


def _pdfs(name: str, rate: float) -> dict[str, Any]:
    reached = "reached" if rate >= _PDFS_BAR else "NOT REACHED"
    return {
        "name": name,
        "value": round(rate),
        "unit": "PDFs/core-hour",
        "per_cpu_second": round(rate / _HOUR, 1),
        "circumstances": "one page; permission, policy, ledgers, our own verification of what "
        "was made and the child processes counted in; without HTTP and journal; "
        f"bar >= {_PDFS_BAR}: {reached}",
    }


def _verdicts(name: str, rate: float, circumstances: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(rate),
        "unit": "verifications/CPU-s",
        "per_cpu_second": True,
        "circumstances": circumstances,
    }


def _page() -> bytes:
    """Return a PDF of one A4 page with a line of text."""
    text = b"BT /F1 24 Tf 72 720 Td (Notice) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start
