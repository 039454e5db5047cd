"""The register of risks, scans and their findings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from audits.errors.rectification import RiskNotFound, ScanNotFound, ScopeRetired
from audits.models.risks import (
    SEVERE,
    SEVERITIES,
    FindingFilter,
    FindingKey,
    Risk,
    RiskFilter,
    Scan,
    ScanFinding,
)
from audits.store.rows import (
    change_version,
    chunks,
    count_rows,
    fields_of,
    insert_once,
    newest_page,
    row_of,
)
from audits.store.tables.rectification import rectification_tasks
from audits.store.tables.risks import risks, vulnerability_findings, vulnerability_scans
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_RISKS: Final = risks.c
_FINDINGS: Final = vulnerability_findings.c
_SCANS: Final = vulnerability_scans.c
_GRADE: Final = _FINDINGS.severity
_MOST: Final = 5_000


def _risk(row: Any) -> Risk:
    return Risk(**fields_of(row))


def _scan(row: Any) -> Scan:
    return Scan(**fields_of(row))


def _finding(row: Any) -> ScanFinding:
    return ScanFinding(**fields_of(row))


class DatabaseRisks:
    """Implements ``audits.ports.risks.Risks``."""

    def add(self, tx: Transaction, risk: Risk) -> None:
        """Store a new one."""
        insert_once(tx, risks, asdict(risk), "this source was entered meanwhile")

    def get(self, tx: Transaction, org_id: str, risk_id: str) -> Risk:
        """Return it; raise ``RiskNotFound``."""
        row = row_of(tx, risks, org_id, risk_id)
        if row is None:
            raise RiskNotFound(f"no risk {risk_id[:60]}")
        return _risk(row)

    def change(self, tx: Transaction, risk: Risk) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        change_version(tx, risks, asdict(risk), f"{risk.id} changed since it was read")

    def page(
        self, tx: Transaction, org_id: str, wanted: RiskFilter, page: PageRequest
    ) -> Page[Risk]:
        """Return risks, the newest first."""
        statement = risks.select().where(*_of_system(_RISKS, org_id, wanted.system_id))
        if wanted.level:
            statement = statement.where(_RISKS.level == wanted.level)
        if wanted.cell is not None:
            likelihood, impact = wanted.cell
            statement = statement.where(
                _RISKS.likelihood == likelihood, _RISKS.impact == impact, _RISKS.state != "closed"
            )
        if wanted.state == "unclosed":
            statement = statement.where(_RISKS.state != "closed")
        elif wanted.state == "overdue":
            statement = statement.where(_overdue(tx.now))
        elif wanted.state:
            statement = statement.where(_RISKS.state == wanted.state)
        return newest_page(tx, statement, (_RISKS.made_at, _RISKS.id), page, read=_risk)

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Risk]:
        """Return all risks of a system, the gravest first, at most 5,000."""
        rows = tx.execute(
            risks.select()
            .where(_RISKS.org_id == org_id, _RISKS.system_id == system_id)
            .order_by(_RISKS.level.desc(), _RISKS.made_at, _RISKS.id)
            .limit(_MOST)
        )
        return [_risk(row) for row in rows]

    def matrix(self, tx: Transaction, org_id: str, system_id: str) -> Mapping[tuple[int, int], int]:
        """Return how many risks that are not closed stand in each (likelihood, impact)."""
        rows = tx.execute(
            sa.select(_RISKS.likelihood, _RISKS.impact, sa.func.count())
            .where(*_of_system(_RISKS, org_id, system_id), _RISKS.state != "closed")
            .group_by(_RISKS.likelihood, _RISKS.impact)
        )
        return {(row[0], row[1]): int(row[2]) for row in rows}

    def known(
        self, tx: Transaction, org_id: str, fingerprints: Sequence[str]
    ) -> Mapping[str, Risk]:
        """Return those of these sources that are in the register, by fingerprint."""
        found: dict[str, Risk] = {}
        for some in chunks(fingerprints):
            rows = tx.execute(
                risks.select().where(_RISKS.org_id == org_id, _RISKS.fingerprint.in_(some))
            )
            found |= {row.fingerprint: _risk(row) for row in rows}
        return found

    def unclosed(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation are not closed."""
        return count_rows(tx, risks, _RISKS.org_id == org_id, _RISKS.state != "closed")


class DatabaseScans:
    """Implements ``audits.ports.risks.Scans``."""

    def last(self, tx: Transaction, org_id: str, system_id: str, scope: str) -> Scan | None:
        """Return the last scan of a scope by when it was made, None where there is none."""
        statement = vulnerability_scans.select().where(
            _SCANS.org_id == org_id, _SCANS.system_id == system_id, _SCANS.scope == scope
        )
        row = tx.execute(statement.order_by(_SCANS.scanned_at.desc()).limit(1)).first()
        return None if row is None else _scan(row)

    def lasts(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Scan]:
        """Return the last scan of each scope of a system ("" for all), by system and scope."""
        mine = _of_system(_SCANS, org_id, system_id)
        newest = (
            sa.select(_SCANS.system_id, _SCANS.scope, sa.func.max(_SCANS.scanned_at).label("at"))
            .where(*mine)
            .group_by(_SCANS.system_id, _SCANS.scope)
            .subquery()
        )
        same = sa.and_(
            _SCANS.system_id == newest.c.system_id,
            _SCANS.scope == newest.c.scope,
            _SCANS.scanned_at == newest.c.at,
        )
        found = sa.select(vulnerability_scans).join(newest, same).where(*mine)
        rows = tx.execute(found.order_by(_SCANS.system_id, _SCANS.scope).limit(_MOST))
        return [_scan(row) for row in rows]

    def retire(self, tx: Transaction, scan: Scan) -> None:
        """Store that ``scan`` is the last of a scope given up; raise ``ScopeRetired`` if it is."""
        changed = tx.execute(
            vulnerability_scans.update()
            .where(_SCANS.org_id == scan.org_id, _SCANS.id == scan.id, _SCANS.retired_at == 0)
            .values(
                retired_at=scan.retired_at,
                retired_by=scan.retired_by,
                retired_reason=scan.retired_reason,
            )
        )
        if changed.rowcount != 1:
            raise ScopeRetired

    def add(self, tx: Transaction, scan: Scan) -> None:
        """Store a scan."""
        tx.execute(vulnerability_scans.insert().values(**asdict(scan)))

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Scan]:
        """Return scans, the last read first."""
        statement = vulnerability_scans.select().where(_SCANS.org_id == org_id)
        columns = (_SCANS.imported_at, _SCANS.id)
        return newest_page(tx, statement, columns, page, read=_scan)


class DatabaseFindings:
    """Implements ``audits.ports.risks.Findings``."""

    def states(self, tx: Transaction, org_id: str, system_id: str, scope: str) -> Mapping[str, str]:
        """Return the states of all findings of a scope by fingerprint."""
        rows = tx.execute(
            sa.select(_FINDINGS.fingerprint, _FINDINGS.state).where(*_in(org_id, system_id, scope))
        )
        return {row[0]: row[1] for row in rows}

    def put(self, tx: Transaction, findings: Sequence[ScanFinding]) -> None:
        """Store findings that are new."""
        if findings:
            tx.execute(vulnerability_findings.insert(), [asdict(finding) for finding in findings])

    def set(
        self, tx: Transaction, scan: Scan, fingerprints: Collection[str], **values: Any
    ) -> None:
        """Change these findings of the scan's scope in the same way."""
        _update(tx, scan, fingerprints, values)

    def hasten(
        self, tx: Transaction, scan: Scan, fingerprints: Collection[str], due_at: int
    ) -> None:
        """Let these findings of the scan's scope be due at ``due_at``, unless they are before."""
        later = sa.or_(_FINDINGS.due_at == 0, _FINDINGS.due_at > due_at)
        _update(tx, scan, fingerprints, {"due_at": due_at}, later)

    def page(
        self, tx: Transaction, org_id: str, wanted: FindingFilter, page: PageRequest
    ) -> Page[ScanFinding]:
        """Return findings, the last seen first."""
        statement = vulnerability_findings.select().where(_FINDINGS.org_id == org_id)
        for name in ("system_id", "scope", "state", "severity"):
            value = getattr(wanted, name)
            if value:
                statement = statement.where(_FINDINGS[name] == value)
        columns = (_FINDINGS.last_at, _FINDINGS.fingerprint, _FINDINGS.system_id, _FINDINGS.scope)
        return newest_page(tx, statement, columns, page, read=_finding)

    def find(self, tx: Transaction, org_id: str, key: FindingKey) -> ScanFinding:
        """Return a finding; raise ``ScanNotFound``."""
        row = tx.execute(
            vulnerability_findings.select().where(
                *_in(org_id, key.system_id, key.scope), _FINDINGS.fingerprint == key.fingerprint
            )
        ).first()
        if row is None:
            raise ScanNotFound(f"no finding {key.fingerprint[:64]}")
        return _finding(row)

    def standing(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[ScanFinding]:
        """Return what is open, or retired without a task that is closed, of a system.

        The gravest first, at most 10,000.
        """
        order = sa.case({name: place for place, name in enumerate(SEVERITIES)}, value=_GRADE)
        rows = tx.execute(
            vulnerability_findings.select()
            .where(*_of_system(_FINDINGS, org_id, system_id), _stands())
            .order_by(order, _FINDINGS.first_at, _FINDINGS.fingerprint, _FINDINGS.scope)
            .limit(2 * _MOST)
        )
        return [_finding(row) for row in rows]

    def standing_by_scope(
        self, tx: Transaction, org_id: str, system_id: str
    ) -> Mapping[tuple[str, str], int]:
        """Return how many are ``standing`` by (system, scope); "" for all systems."""
        rows = tx.execute(
            sa.select(_FINDINGS.system_id, _FINDINGS.scope, sa.func.count())
            .where(*_of_system(_FINDINGS, org_id, system_id), _stands())
            .group_by(_FINDINGS.system_id, _FINDINGS.scope)
        )
        return {(row[0], row[1]): int(row[2]) for row in rows}

    def counts(self, tx: Transaction, org_id: str, system_id: str, now: int) -> Mapping[str, int]:
        """Return how many findings are ``open`` and ``overdue``, and how many severe ones.

        ``retired`` ones stand though their scope was given up: their task is not closed.
        ``without_task`` are open or so retired, to be mended, and have no task that isn't closed.
        """
        severe, opened = _GRADE.in_(SEVERE), _FINDINGS.state == "open"
        late = sa.and_(opened, _FINDINGS.due_at > 0, _FINDINGS.due_at < now)
        counted = {
            "open": opened,
            "severe_open": sa.and_(opened, severe),
            "overdue": late,
            "severe_overdue": sa.and_(severe, late),
            "without_task": sa.and_(_FINDINGS.due_at > 0, ~_has_task(closed=False)),
            "retired": ~opened,
            "severe_retired": sa.and_(~opened, severe),
        }
        sums = [
            sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
            for condition in counted.values()
        ]
        mine = (*_of_system(_FINDINGS, org_id, system_id), _stands())
        row = tx.execute(sa.select(*sums).where(*mine)).one()
        return dict(zip(counted, map(int, row), strict=True))


def _update(
    tx: Transaction,
    scan: Scan,
    fingerprints: Collection[str],
    values: Mapping[str, Any],
    *conditions: Any,
) -> None:
    """Change these findings of the scan's scope where the ``conditions`` hold."""
    mine = (*_in(scan.org_id, scan.system_id, scan.scope), *conditions)
    for some in chunks(sorted(fingerprints)):
        chosen = vulnerability_findings.update().where(*mine, _FINDINGS.fingerprint.in_(some))
        tx.execute(chosen.values(**values))


def _of_system(columns: Any, org_id: str, system_id: str) -> tuple[Any, ...]:
    """Return the conditions for a system's rows; for all of the organisation's without one."""
    mine = (columns.org_id == org_id,)
    return (*mine, columns.system_id == system_id) if system_id else mine


def _stands() -> Any:
    """Return the condition that a finding did not go, and was not let go with its scope."""
    let_go = sa.and_(_FINDINGS.state == "retired", ~_has_task(closed=True))
    return sa.or_(_FINDINGS.state == "open", let_go)


def _has_task(*, closed: bool) -> Any:
    """Return the condition that a finding has a task that is closed, or one that isn't."""
    tasks = rectification_tasks.c
    return sa.exists().where(
        tasks.org_id == _FINDINGS.org_id,
        tasks.system_id == _FINDINGS.system_id,
        tasks.source == "scan",
        tasks.standard == "",
        tasks.subject == _FINDINGS.fingerprint,
        tasks.object_id == _FINDINGS.scope,
        (tasks.state == "closed") if closed else (tasks.state != "closed"),
    )


def _in(org_id: str, system_id: str, scope: str) -> tuple[Any, ...]:
    return (_FINDINGS.org_id == org_id, _FINDINGS.system_id == system_id, _FINDINGS.scope == scope)


def _overdue(now: int) -> Any:
    """Return the condition that ``Risk.overdue`` is."""
    accepted = sa.and_(
        _RISKS.state == "accepted", _RISKS.accepted_until > 0, _RISKS.accepted_until < now
    )
    working = sa.and_(
        _RISKS.state.in_(("identified", "treating")), _RISKS.due_at > 0, _RISKS.due_at < now
    )
    return sa.or_(accepted, working)
