"""People imported from a table: the dry run is the same code, undone at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from iam.core.names import check_name
from iam.core.people_csv.read import read_people
from iam.errors import ImportRefused, NameTaken
from iam.models.accounts import IssuedEnrolment
from iam.models.imports import ImportReport, PeopleTable, PersonRow, RowFault, Wanted
from iam.service.means import Means
from iam.service.people.accounts import AccountService, person_key
from iam.service.reach import reaches
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.permissions.iam import ACCOUNT_CREATE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

PART: Final = 200
Progress = Callable[[int], None]

_TAKEN: Final = RowFault(
    "name",
    Text("登录名已被使用", "The login name is taken"),
    Text("请换一个登录名。", "Choose another login name."),
)
_KNOWN: Final = RowFault(
    "document_number",
    Text("该人员已有账户", "This person has an account already"),
    Text("请从文件中删除该行;一人一个账户。", "Remove the row: one person, one account."),
)
_NOWHERE: Final = RowFault(
    "organisation",
    Text("没有该机构,或不在管辖范围内", "No such organisation, or it is out of reach"),
    Text("请填写机构全称,或先登记该机构。", "Write its whole name, or register it first."),
)


class _UndoneError(Exception):
    """Ends a dry run's unit of work, so that nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class ImportService:
    """Imports people as accounts without any role."""

    means: Means
    accounts: AccountService

    def preview_people(
        self, actor: Actor, content: bytes, columns: Mapping[str, str] | None = None
    ) -> ImportReport:
        """Return what an import would do, without doing it."""
        return self._import(actor, self._table(actor, content, columns), "good", None)

    def import_people(
        self,
        actor: Actor,
        content: bytes,
        wanted: Wanted,
        *,
        columns: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Create the accounts; with "all" nothing is done where a row is faulty.

        Raises ``ImportRefused``. Each row's enrolment is in the report, this once.
        """
        table = self._table(actor, content, columns)
        if wanted == "all" and any(row.faults for row in table.rows):
            faulty = sum(1 for row in table.rows if row.faults)
            msg = f"{faulty} rows are faulty; nothing was imported"
            raise ImportRefused(msg)
        return self._import(actor, table, wanted, progress or (lambda _: None))

    def _table(
        self, actor: Actor, content: bytes, columns: Mapping[str, str] | None
    ) -> PeopleTable:
        """Return the table with each row also checked against what is known here."""
        self.means.parts.access.require(actor, ACCOUNT_CREATE, "account:*")
        table = read_people(content, self.means.today, columns)
        keys = {
            row.number: person_key(self.means, row.new.document)
            for row in table.rows
            if row.new is not None and row.new.document is not None
        }

        def work(tx: Transaction) -> tuple[PersonRow, ...]:
            known = self.means.stores.persons.known_keys(tx, list(keys.values()))
            places: dict[str, str | None] = {}
            return tuple(
                self._checked(tx, actor, row, places, known=keys.get(row.number) in known)
                for row in table.rows
            )

        return replace(table, rows=self.means.parts.transactions.read(work))

    def _checked(
        self,
        tx: Transaction,
        actor: Actor,
        row: PersonRow,
        places: dict[str, str | None],
        *,
        known: bool,
    ) -> PersonRow:
        if row.new is None:
            return row
        faults = list(row.faults)
        if self.means.stores.accounts.by_name(tx, check_name(row.new.name)) is not None:
            faults.append(_TAKEN)
        if known:
            faults.append(_KNOWN)
        org_id = self._place(tx, actor, row.new.organisation, places)
        if org_id is None:
            faults.append(_NOWHERE)
        new = replace(row.new, organisation_id=org_id)
        return replace(row, new=new, faults=tuple(faults))

    def _place(
        self, tx: Transaction, actor: Actor, name: str, places: dict[str, str | None]
    ) -> str | None:
        """Return the organisation of this name within reach; the caller's own for no name."""
        if not name:
            return actor.org_id
        if name not in places:
            found = self.means.stores.organisations.by_name(tx, name)
            usable = found and found.closed_at is None and reaches(self.means, tx, actor, found.id)
            places[name] = found.id if found is not None and usable else None
        return places[name]

    def _import(
        self, actor: Actor, table: PeopleTable, wanted: Wanted, progress: Progress | None
    ) -> ImportReport:
        """Import the good rows, in one unit of work for "all", else in parts of 200.

        ``progress`` None is a dry run: every part is undone.
        """
        good = [row for row in table.rows if row.new is not None and not row.faults]
        enrolments: list[IssuedEnrolment] = []
        size = max(1, len(good)) if wanted == "all" else PART
        for start in range(0, len(good), size):
            part = good[start : start + size]
            made = self._part(actor, part, dry_run=progress is None)
            if progress is not None:
                enrolments.extend(made)
                progress(len(part))
        return ImportReport(
            table=table,
            dry_run=progress is None,
            good=len(good),
            faulty=len(table.rows) - len(good),
            enrolments=tuple(enrolments),
        )

    def _part(
        self, actor: Actor, rows: Sequence[PersonRow], *, dry_run: bool
    ) -> list[IssuedEnrolment]:
        prepared = [
            self.accounts.prepare(row.new, row.new.organisation_id or actor.org_id)
            for row in rows
            if row.new is not None
        ]

        def work(tx: Transaction) -> list[IssuedEnrolment]:
            issued = [self.accounts.store(tx, actor, account)[1] for account in prepared]
            if dry_run:
                raise _UndoneError
            details = {"rows": len(rows), "first": rows[0].number, "last": rows[-1].number}
            tx.record(Act("iam.import_people", actor, "account:*", details=details))
            return issued

        try:
            return self.means.parts.transactions.run(work)
        except _UndoneError:
            return []
        except NameTaken as error:
            msg = "a login name was taken meanwhile; look at the preview again"
            raise ImportRefused(msg) from error
