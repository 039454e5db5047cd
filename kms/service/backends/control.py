"""What people see of key backends and do with them: list, check, drain, resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kms.models.backends import BackendRecord, BackendStatus, KeyCustody
from kms.ports.backends import BackendStore
from kms.service.backends.members import Member
from kms.service.backends.objects import BackendObjects
from kms.service.tenants import demand_whole
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Conflict
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import BACKEND_DRAIN, BACKEND_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_CHECK_EVERY: Final = 3_600 * SECOND


class BackendControl:
    """Shows the backends and takes them out of use and back."""

    def __init__(self, parts: Parts, store: BackendStore, objects: BackendObjects) -> None:
        self._parts = parts
        self._store = store
        self._backends = objects.backends
        self._objects = objects

    def list_backends(self, actor: Actor) -> Sequence[BackendStatus]:
        """Return all configured backends; one that was not asked yet is checked now."""
        self._parts.access.require(actor, BACKEND_READ)
        mix = self._parts.transactions.read(self._store.mix)
        healthy = {member.options.name: member.is_ready() for member in self._backends.members}
        records = self._backends.records()
        return [
            _status(member, healthy[member.options.name], records, mix)
            for member in self._backends.members
        ]

    def list_custody(
        self, actor: Actor, request: PageRequest, *, backend: str = ""
    ) -> Page[KeyCustody]:
        """Return the organisation's keys by name, with where each is and how it stands.

        ``backend`` keeps to keys with a version in that backend's group: what is to be moved.
        """
        self._parts.access.require(actor, BACKEND_READ)
        group = self._backends.member(backend).options.family if backend else ""
        rows = self._parts.transactions.read(
            lambda tx: self._store.custody(tx, actor.org_id, request, group=group)
        )
        return page_of(rows, request.limit, [(row.name, row.id) for row in rows])

    def check_backend(self, actor: Actor, name: str) -> BackendStatus:
        """Check one backend now and return how it fares."""
        self._parts.access.require(actor, BACKEND_READ, f"backend:{name}")
        member = self._backends.member(name)
        healthy = member.check()
        mix = self._parts.transactions.read(self._store.mix)
        return _status(member, healthy, self._backends.records(), mix)

    def drain_backend(self, actor: Actor, name: str) -> None:
        """Let the backend take no new keys; those it holds go on working."""
        self._switch(actor, name, draining=True)

    def resume_backend(self, actor: Actor, name: str) -> None:
        """Let the backend take new keys again."""
        self._switch(actor, name, draining=False)

    def check_backends(self) -> bool:
        """Check every backend not checked for an hour, and leave its state as evidence."""
        records, before = self._backends.records(), self._parts.clock.now() - _CHECK_EVERY
        for member in self._backends.members:
            checked_at = records.get(member.options.name, BackendRecord("")).checked_at
            if checked_at is not None and checked_at > before:
                continue
            failure = "" if member.check() else member.failure
            self._backends.note_check(member.options.name, failure)
        return False

    def sweep_objects(self) -> bool:
        """Close calls without outcome and erase objects that no key leads to; for the job."""
        self._objects.sweep()
        return False

    def _switch(self, actor: Actor, name: str, *, draining: bool) -> None:
        self._parts.access.require(actor, BACKEND_DRAIN, f"backend:{name}")
        demand_whole(actor)
        self._backends.member(name)
        action = "kms.drain_backend" if draining else "kms.resume_backend"

        def work(transaction: Transaction) -> None:
            records = self._store.records(transaction)
            if records.get(name, BackendRecord(name)).draining == draining:
                msg = f"{name} is {'drained' if draining else 'in use'} already"
                raise Conflict(msg)
            self._store.put_draining(transaction, name, draining=draining, changed_by=actor.id)
            transaction.record(Act(action, actor, f"backend:{name}"))

        self._parts.transactions.run(work)


def _status(
    member: Member,
    healthy: bool,  # noqa: FBT001 - one of the things that are put together
    records: dict[str, BackendRecord],
    mix: dict[tuple[str, str], int],
) -> BackendStatus:
    options = member.options
    record = records.get(options.name, BackendRecord(options.name))
    return BackendStatus(
        name=options.name,
        kind=options.kind,
        centre=options.centre,
        group=options.family,
        healthy=healthy,
        draining=record.draining,
        failure="" if healthy else member.failure,
        checked_at=record.checked_at,
        algorithms=tuple(sorted(member.backend.algorithms)),
        keys={
            kind: count for (group, kind), count in sorted(mix.items()) if group == options.family
        },
        calls=member.calls,
        failures=member.failures,
        rate=member.rate,
    )
