"""The policies in force, the same in every process within a second of their activation."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from iam.core.circumstances import LocalTime, local_time, zones_of
from iam.core.policy_data import read_policy_data
from iam.models.zero_trust import PolicyData, PolicyTitle, PolicyVersion
from iam.ports import PolicyCompiler, PolicyEngine, PolicyStore
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import MINUTE
from secops.kernel.revocations import Revocations
from secops.kernel.transactions import Transaction, Transactions

_MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class InForce:
    """One set of policies with its data; ``version_id`` is empty for the shipped set alone."""

    engine: PolicyEngine
    data: PolicyData
    version_id: str = ""
    number: int = 0
    _zones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _minutes: dict[int, LocalTime] = field(default_factory=dict)
    _grades: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the grades out for looking up."""
        self._grades.update(self.data.grades)

    def zones(self, address: str) -> tuple[str, ...]:
        """Return the names of the zones that hold ``address``."""
        found = self._zones.get(address)
        if found is None:
            if len(self._zones) >= _MOST_ADDRESSES:
                self._zones.clear()
            found = self._zones[address] = zones_of(address, self.data)
        return found

    def local_time(self, now: int) -> LocalTime:
        """Return the local hour and day, worked out once a minute."""
        minute = now // MINUTE
        found = self._minutes.get(minute)
        if found is None:
            self._minutes.clear()
            found = self._minutes[minute] = local_time(now, self.data.working)
        return found

    def grade(self, resource_kind: str) -> int:
        """Return the data grade of a kind of resource, 0 where none is set."""
        return self._grades.get(resource_kind, 0)


class PolicyBook:
    """Keeps the version in force compiled; a moved epoch makes it look again.

    A version that can't be read or compiled any more raises: nothing is granted then, since
    leaving out what an organisation forbids would be worse.
    """

    def __init__(
        self,
        compiler: PolicyCompiler,
        transactions: Transactions,
        store: PolicyStore,
        revocations: Revocations,
    ) -> None:
        self._compiler = compiler
        self._transactions = transactions
        self._store = store
        self._revocations = revocations
        self._lock = threading.Lock()
        base = read_policy_data(compiler.shipped_data(), PolicyData())
        self._shipped = InForce(compiler.compile(), base)
        self._seen: tuple[int, InForce] | None = None

    @property
    def shipped(self) -> InForce:
        """The product's own set, without an organisation's."""
        return self._shipped

    def current(self) -> InForce:
        """Return what is in force; raise ``Unavailable`` or ``PolicyInvalid``."""
        epoch = self._revocations.epoch
        seen = self._seen
        if seen is not None and seen[0] == epoch:
            return seen[1]
        with self._lock:
            known = self._shipped if self._seen is None else self._seen[1]
            found = self._transactions.read(lambda tx: self._look(tx, known))
            in_force = found if isinstance(found, InForce) else self.compile_version(found)
            self._seen = (epoch, in_force)
            return in_force

    def _look(self, tx: Transaction, known: InForce) -> InForce | PolicyVersion:
        if self._store.active_id(tx, ROOT_ORG) == known.version_id:
            return known
        return self._store.active(tx, ROOT_ORG) or self._shipped

    def compile_version(self, version: PolicyVersion) -> InForce:
        """Return a version as it would be in force; raise ``PolicyInvalid``."""
        engine = self._compiler.compile(version.policies)
        data = read_policy_data(version.data, self._shipped.data)
        return InForce(engine, data, version.id, version.number)

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        return self.current().engine.version

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        return self.current().engine.policy_count

    @property
    def titles(self) -> Mapping[str, PolicyTitle]:
        """How the policies in force call themselves."""
        return self.current().engine.titles
