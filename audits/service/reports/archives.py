"""Archives: everything about one assessment in one folder or zip file that verifies offline."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from audits.core.archives import evidence_digests, manifest_of
from audits.core.reports import build_proof, claims_of
from audits.errors import ArchiveTooLarge
from audits.models.forms import FORMS
from audits.models.reports import ArchivedFile, Report
from audits.ports.reports import ArchivePages, ArchiveSink
from audits.service.assessments.assessments import AssessmentService
from audits.service.reports.reports import NO_WISHES, ReportService, Wishes, file_stem
from audits.service.reports.templates import BUILT_IN
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import EXPORT_REPORT

MAX_FILES: Final = 9_000
MAX_BYTES: Final = 1 << 30
MAX_PACKED: Final = 256 << 20
"""What is packed in memory, for an answer over HTTP or an encrypted message."""


@dataclass(frozen=True, slots=True)
class ArchiveParts:
    """What archives need: pages, and what makes sinks of an open file and of a path.

    A path that ends with ``.zip`` is a file, any other a folder.
    """

    pages: ArchivePages
    zip_sink: Callable[[BinaryIO], ArchiveSink]
    sink_at: Callable[[Path], ArchiveSink]


class _Bounded(io.BytesIO):
    """What is packed in memory stays within its limit."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > MAX_PACKED:
            raise ArchiveTooLarge
        return super().write(data)


class _Files:
    """Puts files into a sink and keeps what the manifest says of them, within limits."""

    def __init__(self, sink: ArchiveSink, sm3: Callable[[bytes], bytes]) -> None:
        self._sink = sink
        self._sm3 = sm3
        self._left = MAX_BYTES
        self.listed: list[ArchivedFile] = []

    def put(self, path: str, content: bytes) -> None:
        self._left -= len(content)
        if self._left < 0 or len(self.listed) >= MAX_FILES:
            raise ArchiveTooLarge
        digests = hashlib.sha256(content).hexdigest(), self._sm3(content).hex()
        self._sink.put(path, content)
        self.listed.append(ArchivedFile(path, len(content), *digests))


@dataclass(frozen=True, slots=True)
class ArchiveService:
    """Exports signed archives."""

    parts: Parts
    assessments: AssessmentService
    reports: ReportService
    tools: ArchiveParts

    def export_archive(
        self,
        actor: Actor,
        assessment_id: str,
        sink: ArchiveSink,
        language: Language = "zh",
        *,
        wishes: Wishes = NO_WISHES,
    ) -> str:
        """Put an archive of an assessment into ``sink``; return how it is called, without suffix.

        Reports in all forms with their proofs, all evidence they name, pages to read it by, the
        verifier, the ledger's verification keys, and a manifest that is signed and in the ledger
        as a report is. They are written with the office's own templates, or all with ours.
        Raises ``ArchiveTooLarge``.
        """
        if wishes.template_id not in ("", BUILT_IN):
            raise Invalid(f"an archive takes the templates in use, or {BUILT_IN}")
        self.parts.access.require(actor, EXPORT_REPORT, f"assessment:{assessment_id}")
        document = self.assessments.show_assessment(actor, assessment_id)
        files = _Files(sink, self.reports.tools.sm3)
        ours = Wishes(wishes.template_id)
        made = self.reports.sealed_reports(actor, document, tuple(FORMS), language, wishes=ours)
        names = [_put_report(files, report) for report in made]
        evidence, missing = self._evidence(document)
        for digest, content in evidence.items():
            suffix = "json" if content.startswith(b"{") else "bin"
            files.put(f"evidence/{digest}.{suffix}", content)
        for path, content in self.tools.pages.pages(document, names, evidence, language).items():
            files.put(path, content)
        files.put("verify_report.py", self.tools.pages.verifier())
        vkeys = self.reports.tools.sealing.ledger.vkeys()
        files.put("vkeys", "".join(f"{vkey}\n" for vkey in vkeys).encode())
        manifest = manifest_of(document, [asdict(file) for file in files.listed], missing)
        self._seal(actor, document, (manifest, language, wishes.partners), sink)
        return file_stem(document)

    def pack_archive(
        self,
        actor: Actor,
        assessment_id: str,
        language: Language = "zh",
        *,
        wishes: Wishes = NO_WISHES,
    ) -> Report:
        """Return an archive as one zip file, or as an OpenPGP message where there are partners."""
        self.parts.access.require(actor, EXPORT_REPORT, f"assessment:{assessment_id}")
        if wishes.partners:
            self.reports.demand_protection(actor, wishes.partners)
        packed = _Bounded()
        sink = self.tools.zip_sink(packed)
        stem = self.export_archive(actor, assessment_id, sink, language, wishes=wishes)
        if not wishes.partners:
            return Report(f"{stem}.zip", "application/zip", packed.getvalue(), b"")
        return self.reports.protected(actor, (f"{stem}.zip", packed.getvalue()), wishes.partners)

    def _evidence(self, document: Mapping[str, Any]) -> tuple[dict[str, bytes], Sequence[str]]:
        """Return the evidence by digest, and the digests of what is no longer kept."""
        found: dict[str, bytes] = {}
        missing: list[str] = []
        for digest in evidence_digests(document):
            try:
                found[digest] = self.parts.blobs.get(digest)
            except NotFound:
                missing.append(digest)
        return found, missing

    def _seal(
        self,
        actor: Actor,
        document: Mapping[str, Any],
        what: tuple[bytes, Language, tuple[str, ...]],
        sink: ArchiveSink,
    ) -> None:
        manifest, language, partners = what
        claims = claims_of(
            "archive",
            manifest,
            sm3=self.reports.tools.sm3(manifest).hex(),
            document=document,
            form="archive",
            language=language,
            parts=(),
            issued_at=self.parts.clock.now(),
        )
        (sealed,) = self.reports.tools.sealing.seal(actor, [claims], partners)
        sink.put("manifest.json", manifest)
        sink.put("manifest.json.proof", build_proof(claims, document, (), sealed))
        sink.close()


def _put_report(files: _Files, report: Report) -> str:
    """Put a report and its proof into an archive; return its path."""
    path = f"reports/{report.name}"
    files.put(path, report.content)
    files.put(f"{path}.proof", report.proof)
    return path
