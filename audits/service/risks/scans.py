"""Scanners' files: read, compared with the last scan of the same scope, listed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from audits.core.scans.csv_files import read_csv
from audits.core.scans.limits import MAX_FILE
from audits.core.scans.sarif import read_sarif
from audits.core.texts import bounded
from audits.errors import TooManyKept
from audits.errors.rectification import OtherScanner, ScanOutdated, ScanRejected, ScopeNotFound
from audits.models.risks import (
    DUE_DAYS,
    FINDING_STATES,
    SEVERITIES,
    FindingFilter,
    ParsedFinding,
    ParsedScan,
    Scan,
    ScanFinding,
    ScanScope,
    Severity,
)
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification_desk import RectificationDesk
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import IMPORT_SCAN, READ_RISKS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ScanFormat = Literal["sarif", "csv"]
SCAN_FORMATS: Final[tuple[ScanFormat, ...]] = ("sarif", "csv")
MAX_KEPT: Final = 50_000
_MAX_SCOPE: Final = 100
_MAX_REASON: Final = 500
_MAX_SCOPES: Final = 50
_MAX_EVER: Final = 500
"""Scopes of a system that are in use, and those together with the ones given up."""
_TAKEN_UP: Final = Text("该范围曾停用,现恢复扫描", "the scope was retired: it is taken up again")


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scanner's file. ``scope`` names what was scanned, ``mapping`` a CSV's columns."""

    format: str
    content: bytes
    scope: str
    scanned_at: int
    system_id: str = THIS_INSTANCE
    mapping: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ScanService:
    """Reads and lists scans."""

    desk: RectificationDesk

    def import_scan(self, actor: Actor, new: NewScan) -> tuple[Scan, tuple[Text, ...]]:
        """Read a scanner's file; return the scan and what was left out of it.

        What the last scan of the scope had and this one lacks is gone; what came back is open
        again, due anew; what became graver is due sooner. A scope that was given up is taken up
        again, without a new deadline for what stood. Raises ``ScanRejected``, ``ScanOutdated``
        for one that is not newer, ``OtherScanner`` for another scanner's: what it doesn't look
        for would count as mended.
        """
        target = f"system:{new.system_id[:60]}"
        self.desk.parts.access.require(actor, IMPORT_SCAN, target)
        scope = self.desk.scopes.scope(actor, new.system_id)
        name = bounded(new.scope, _MAX_SCOPE, "scope")
        now = self.desk.parts.clock.now()
        if not 0 < new.scanned_at <= now + HOUR:
            raise Invalid("a scan was made in the past")
        parsed = _parsed(new)
        digest, identifier = self.desk.parts.blobs.put(new.content), self.desk.parts.ids.new("scn")

        def work(tx: Transaction) -> tuple[Scan, bool]:
            scans, findings = self.desk.stores.scans, self.desk.stores.findings
            wanted = (scope.system.id, name)
            last = self._last(tx, actor, wanted, new, parsed.scanner)
            known = findings.states(tx, actor.org_id, scope.system.id, name)
            fresh = [one for one in parsed.findings if one.fingerprint not in known]
            if len(known) + len(fresh) > MAX_KEPT:
                raise TooManyKept(f"a scope keeps at most {MAX_KEPT} findings")
            present = {one.fingerprint for one in parsed.findings}
            stood = {mark for mark, state in known.items() if state != "gone"}
            vanished = stood - present - parsed.suppressed
            scan = Scan(
                id=identifier,
                org_id=actor.org_id,
                system_id=scope.system.id,
                scope=name,
                scanner=parsed.scanner,
                format=new.format,
                sha256=digest,
                scanned_at=new.scanned_at,
                imported_at=tx.now,
                imported_by=actor.id,
                findings=len(parsed.findings),
                added=len(fresh),
                gone=len(vanished),
            )
            scans.add(tx, scan)
            findings.put(tx, [_finding(scan, one) for one in fresh])
            self._refresh(tx, scan, parsed, known)
            left = {mark for mark in stood - vanished if known[mark] == "retired"}
            findings.set(tx, scan, left, state="open")
            findings.set(tx, scan, vanished, state="gone", gone_at=scan.scanned_at)
            tx.record(Act("audits.import_scan", actor, f"scan:{scan.id}", details=_told(scan)))
            return scan, last is not None and last.retired_at > 0

        scan, taken_up = self.desk.run(actor, IMPORT_SCAN, "import_scan", target, work)
        return scan, (*parsed.doubts, *([_TAKEN_UP] if taken_up else []))

    def retire_scan_scope(self, actor: Actor, system_id: str, scope: str, reason: str) -> Scan:
        """Give a scope up, of which no scan is waited for any more; return its last scan.

        What stood in it is retired, which is not mended: it counts until its task is closed, by
        a named person. Raises ``ScopeNotFound``, ``ScopeRetired``.
        """
        target = f"system:{system_id[:60]}"
        self.desk.parts.access.require(actor, IMPORT_SCAN, target)
        name, why = scope.strip(), bounded(reason, _MAX_REASON, "reason")

        def work(tx: Transaction) -> Scan:
            scans, findings = self.desk.stores.scans, self.desk.stores.findings
            last = scans.last(tx, actor.org_id, system_id, name)
            if last is None:
                raise ScopeNotFound(f"no scan of {name[:_MAX_SCOPE]!r} was read")
            retired = replace(last, retired_at=tx.now, retired_by=actor.id, retired_reason=why)
            scans.retire(tx, retired)
            states = findings.states(tx, actor.org_id, system_id, name)
            stood = {mark for mark, state in states.items() if state == "open"}
            findings.set(tx, last, stood, state="retired")
            # the reason may name persons: it stays beside the scan
            details = {
                "system": system_id,
                "scope": name,
                "findings": len(stood),
                "reason_sha256": hashlib.sha256(why.encode()).hexdigest(),
            }
            tx.record(Act("audits.retire_scan_scope", actor, f"scan:{last.id}", details=details))
            return retired

        return self.desk.run(actor, IMPORT_SCAN, "retire_scan_scope", target, work)

    def list_scan_scopes(self, actor: Actor, system_id: str = "") -> tuple[ScanScope, ...]:
        """Return the scopes of a system, of all systems without one, by system and scope."""
        self.desk.parts.access.require(actor, READ_RISKS, "scan:*")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.scan_scopes(tx, actor.org_id, system_id)
        )

    def list_scans(self, actor: Actor, page: PageRequest) -> Page[Scan]:
        """Return scans, the last read first."""
        self.desk.parts.access.require(actor, READ_RISKS, "scan:*")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.scans.page(tx, actor.org_id, page)
        )

    def list_findings(
        self, actor: Actor, wanted: FindingFilter, page: PageRequest
    ) -> Page[ScanFinding]:
        """Return scanners' findings, the last seen first."""
        self.desk.parts.access.require(actor, READ_RISKS, "scan:*")
        if wanted.state not in ("", *FINDING_STATES) or wanted.severity not in ("", *SEVERITIES):
            raise Invalid("findings are open, gone or retired, from critical to info")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.findings.page(tx, actor.org_id, wanted, page)
        )

    def _last(
        self, tx: Transaction, actor: Actor, wanted: tuple[str, str], new: NewScan, scanner: str
    ) -> Scan | None:
        """Return the last scan of ``wanted`` (system, scope); raise where it is no earlier one."""
        scans, (system_id, scope) = self.desk.stores.scans, wanted
        last = scans.last(tx, actor.org_id, system_id, scope)
        if last is None or last.retired_at:
            every = scans.lasts(tx, actor.org_id, system_id)
            used = sum(not one.retired_at for one in every)
            if used >= _MAX_SCOPES or (last is None and len(every) >= _MAX_EVER):
                raise TooManyKept(f"a system has at most {_MAX_SCOPES} scopes of scans in use")
        if last is not None and last.scanned_at >= new.scanned_at:
            raise ScanOutdated("a scan of this scope, made then or later, is known")
        if last is not None and (last.format, last.scanner) != (new.format, scanner):
            raise OtherScanner(f"the scope was scanned by {last.scanner[:80]!r} before")
        return last

    def _refresh(
        self,
        tx: Transaction,
        scan: Scan,
        parsed: ParsedScan,
        known: Mapping[str, str],
    ) -> None:
        """Note what was found again and how severe; what had gone or is graver is due anew."""
        findings = self.desk.stores.findings
        again = [one for one in parsed.findings if one.fingerprint in known]
        for severity in SEVERITIES:
            alike = [one.fingerprint for one in again if one.severity == severity]
            back = [mark for mark in alike if known[mark] == "gone"]
            due_at = _due(severity, scan.scanned_at)
            findings.set(tx, scan, back, state="open", gone_at=0, due_at=due_at)
            seen = {"last_scan": scan.id, "last_at": scan.scanned_at, "severity": severity}
            findings.set(tx, scan, alike, **seen)
            if due_at:
                findings.hasten(tx, scan, alike, due_at)


def _parsed(new: NewScan) -> ParsedScan:
    if new.format not in SCAN_FORMATS:
        raise ScanRejected(f"formats are {', '.join(SCAN_FORMATS)}")
    if len(new.content) > MAX_FILE:
        raise TooLarge(f"a scanner's file has at most {MAX_FILE} bytes")
    if new.format == "sarif":
        return read_sarif(new.content)
    return read_csv(new.content, new.mapping)


def _finding(scan: Scan, found: ParsedFinding) -> ScanFinding:
    return ScanFinding(
        org_id=scan.org_id,
        system_id=scan.system_id,
        scope=scan.scope,
        fingerprint=found.fingerprint,
        rule_id=found.rule_id,
        title=found.title,
        severity=found.severity,
        asset=found.asset,
        place=found.place,
        description=found.description,
        first_scan=scan.id,
        last_scan=scan.id,
        first_at=scan.scanned_at,
        last_at=scan.scanned_at,
        due_at=_due(found.severity, scan.scanned_at),
    )


def _due(severity: Severity, at: int) -> int:
    days = DUE_DAYS.get(severity, 0)
    return at + days * DAY if days else 0


def _told(scan: Scan) -> dict[str, str | int]:
    return {
        "system": scan.system_id,
        "scope": scan.scope,
        "format": scan.format,
        "sha256": scan.sha256,
        "scanned_at": scan.scanned_at,
        "findings": scan.findings,
        "added": scan.added,
        "gone": scan.gone,
    }
