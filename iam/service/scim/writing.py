"""Users and groups are written: each write is one unit of work, or nothing of it happens.

What is slow (models, sealing) is done before; the unit of work compares the version that was
read, by one conditional statement. Whoever lost reads again, or is told where they named a
version themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from iam.core.exclusion import administers
from iam.core.names import check_name
from iam.errors import IdentityInvalid, NameTaken
from iam.models.accounts import Account, NewAccount
from iam.models.scim import ScimAnswer, ScimRow
from iam.service.means import Means
from iam.service.people.accounts import AccountService, PreparedAccount
from iam.service.protection.account_locks import lock_order
from iam.service.protection.lock_effects import outlast_locks
from iam.service.scim.reading import OPEN, Held, ScimReader
from iam.service.scim.rendering import dump, etag, scim_error, stored_form
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import Forbidden, Unavailable
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

T = TypeVar("T")
TRIES: Final = 5
_SYSTEM: Final = system_actor("scim")
Step = Literal["suspend", "resume", "stay", ""]
"""stay: somebody else locked it, and when that ends it must not be free."""


class _Lost(Exception):
    """Somebody else wrote in between: nothing of this write was kept."""


@dataclass(frozen=True, slots=True)
class _Write:
    """A write with everything slow done: what is kept, and what happens to the account.

    ``before`` is the row that was read, None for a new resource.
    """

    kind: str
    before: ScimRow | None
    after: ScimRow
    members: frozenset[str] = frozenset()
    account: Account | None = None
    name: str = ""
    name_key: str = ""
    step: Step = ""


@dataclass(frozen=True, slots=True)
class ScimWriter:
    """Creates, changes and deletes."""

    means: Means
    accounts: AccountService
    reader: ScimReader

    def create(self, actor: Actor, kind: str, resource: Any) -> ScimAnswer:
        """Store a new resource; a user's account with it."""
        now = self.means.now
        prepared = None
        if kind == "Users":
            new = NewAccount(resource.user_name, "civil", full_name=_full_name(resource))
            prepared = _named(lambda: self.accounts.prepare(new, actor.org_id))
            identifier, account = prepared.account.id, prepared.account
        else:
            identifier, account = self.means.parts.ids.new("grp"), None
        row = ScimRow(identifier, actor.org_id, b"", 1, now, now)
        write = self._planned(kind, None, (row, account), resource, suspended=False)
        return self._carry_out(actor, write, prepared)

    def change(
        self, actor: Actor, kind: str, identifier: str, *, match: str, alter: Callable[[Any], Any]
    ) -> ScimAnswer:
        """Store what ``alter`` makes of the resource; ``match`` is the caller's If-Match."""
        for _ in range(TRIES):
            held = self._held(actor, kind, identifier, match)
            wanted = alter(held.resource)
            row = held.row
            after = replace(row, version=row.version + 1, changed_at=self.means.now)
            suspended = bool(held.document["suspended"])
            whose = (after, held.account)
            write = self._planned(kind, row, whose, wanted, suspended=suspended)
            try:
                return self._carry_out(actor, write, None)
            except _Lost:
                continue
        raise scim_error("PreconditionFailedException")

    def delete(self, actor: Actor, kind: str, identifier: str, *, match: str) -> ScimAnswer:
        """Close a user for good and keep a tombstone; remove a group."""
        for _ in range(TRIES):
            held = self._held(actor, kind, identifier, match)
            try:
                self._remove(actor, kind, held.row)
            except _Lost:
                continue
            return ScimAnswer(204, None)
        raise scim_error("PreconditionFailedException")

    def _held(self, actor: Actor, kind: str, identifier: str, match: str) -> Held:
        held = self.reader.one(actor.org_id, kind, identifier)
        tags = [one.strip() for one in match.split(",")]
        if match and match != "*" and etag(held.row.version) not in tags:
            raise scim_error("PreconditionFailedException")
        # asked before as well as inside: without a ledger a lock is set and nothing else is done
        if held.account is not None:
            read = self.means.parts.transactions.read
            read(lambda tx: self._refuse_administrators(tx, identifier))
        return held

    def _planned(
        self,
        kind: str,
        before: ScimRow | None,
        whose: tuple[ScimRow, Account | None],
        resource: Any,
        *,
        suspended: bool,
    ) -> _Write:
        """Return the write, with everything slow done."""
        row, account = whose
        document = {"resource": stored_form(resource), "suspended": False, "silent": False}
        if account is None:
            members = frozenset(str(member.value) for member in resource.members or [])
            after = replace(row, content=self.reader.seal(kind, row.id, document))
            return _Write(kind, before, after, members=members)
        step = _step(account, resource, suspended=suspended)
        document["silent"] = resource.active is None
        document["suspended"] = step == "suspend" or (
            step == "" and suspended and account.state == "locked"
        )
        return _Write(
            kind,
            before,
            replace(row, content=self.reader.seal(kind, row.id, document)),
            account=account,
            name=resource.user_name,
            name_key=_named(lambda: check_name(resource.user_name)),
            step=step,
        )

    def _carry_out(
        self, actor: Actor, write: _Write, prepared: PreparedAccount | None
    ) -> ScimAnswer:
        transactions, after = self.means.parts.transactions, write.after

        def work(tx: Transaction) -> Account | None:
            if prepared is not None:
                self.accounts.store(tx, actor, prepared)
            account = self._write(tx, write)
            details = {"version": after.version}
            target = f"{write.kind.lower()}:{after.id}"
            tx.record(Act("iam.scim_write", actor, target, details=details))
            return account

        if write.step == "suspend":
            details = {"reason": "suspended by provisioning"}
            lock = lock_order(_SYSTEM, after.id, details)
            account = _named(lambda: transactions.restrict(work, lock))
            if account is None:
                msg = "the account is locked; nothing else could be written"
                raise Unavailable(msg)
        else:
            account = _named(lambda: transactions.run(work))
        shown = self.reader.held(write.kind, after, account).resource
        status = 201 if write.before is None else 200
        return self.reader.answer(status, write.kind, after, dump(shown, None))

    def _write(self, tx: Transaction, write: _Write) -> Account | None:
        """Write row and account; raise ``_Lost`` where either moved since it was read."""
        store = self.reader.store(write.kind)
        self._check_members(tx, write)
        if write.before is None:
            store.add(tx, write.after)
        elif not store.change(tx, write.after, write.before.version):
            raise _Lost
        return self._settle(tx, write) if write.account is not None else None

    def _settle(self, tx: Transaction, write: _Write) -> Account:
        """Make the account what the resource says.

        An account that was locked by anybody else stays locked: personnel's word does not
        undo security's.
        """
        stores, means = self.means.stores, self.means
        account = stores.accounts.get(tx, write.after.id)
        if write.account is None or account.state != write.account.state:
            raise _Lost
        self._refuse_administrators(tx, account.id)
        if account.name != write.name:
            stores.scim_users.rename(tx, account.id, write.name, write.name_key)
        if write.step == "suspend":
            stores.accounts.set_state(tx, account.id, "locked")
            outlast_locks(means, tx, account.id)
            end_within(means, tx, account.id, "suspended by provisioning")
        elif write.step == "stay":
            outlast_locks(means, tx, account.id)
        elif write.step == "resume" and not stores.locks.holding(tx, "account", account.id):
            enrolled = bool(stores.credentials.passwords(tx, account.id))
            stores.accounts.set_state(tx, account.id, "active" if enrolled else "pending")
            means.parts.revocations.restore(tx, "account", account.id)
            details = {"reason": "resumed by provisioning"}
            target = f"account:{account.id}"
            tx.record(Act("iam.unlock_account", _SYSTEM, target, details=details))
        return stores.accounts.get(tx, account.id)

    def _remove(self, actor: Actor, kind: str, row: ScimRow) -> None:
        store, transactions = self.reader.store(kind), self.means.parts.transactions
        act = Act("iam.scim_delete", actor, f"{kind.lower()}:{row.id}")

        def drop(tx: Transaction) -> None:
            if not store.remove(tx, row.id, row.version):
                raise _Lost
            tx.record(act)

        def bury(tx: Transaction) -> None:
            if not store.remove(tx, row.id, row.version):
                raise _Lost
            self._refuse_administrators(tx, row.id)
            self.means.stores.accounts.set_state(tx, row.id, "closed")
            end_within(self.means, tx, row.id, "deleted by provisioning")

        if kind == "Groups":
            transactions.run(drop)
        else:
            transactions.restrict(bury, Restriction("account", row.id, act))

    def _refuse_administrators(self, tx: Transaction, account_id: str) -> None:
        if administers(self.means.stores.roles.of_subject(tx, account_id)):
            msg = "administrators are out of provisioning's reach"
            raise Forbidden(msg)

    def _check_members(self, tx: Transaction, write: _Write) -> None:
        """Members are provisioned users; a group in a group would be power nobody sees."""
        users, org_id = self.means.stores.scim_users, write.after.org_id
        if any(users.get(tx, org_id, one) is None for one in write.members):
            raise scim_error("InvalidValueException")


def _step(account: Account, user: Any, *, suspended: bool) -> Step:
    if user.active is False and account.state in OPEN:
        return "suspend"
    if user.active is False and account.state == "locked" and not suspended:
        return "stay"
    if user.active is not False and suspended and account.state == "locked":
        return "resume"
    return ""


def _full_name(user: Any) -> str:
    formatted = user.name.formatted if user.name is not None else ""
    return str(user.display_name or formatted or "")[:100]


def _named(work: Callable[[], T]) -> T:
    """Do ``work``; a name that is taken or none is said in SCIM's words."""
    try:
        return work()
    except NameTaken as error:
        raise scim_error("UniquenessException") from error
    except IdentityInvalid as error:
        raise scim_error("InvalidValueException") from error
