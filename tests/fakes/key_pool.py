"""The kms services over a real SQLite file, with fast stretching; and who acts on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from kms.adapters.custody.software import SoftwareCustody, Stretching
from kms.models.backends import BackendSetup
from kms.models.keys import OPERATIONS, KeyRequest, KmsOptions
from kms.plane import build_services
from kms.ports import KmsPorts
from kms.ports.backends import KeyBackend
from kms.service import KmsServices
from secops.adapters.database.tables import ledger_door
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from tests.fakes.parts import database_spine

PASSPHRASE = "correct horse battery staple"
ORG = "org_town"
FAST = Stretching(time=1, memory=64, parallelism=1)


def actor(name: str, *roles: str, org: str = ORG, kind: Any = "account", level: int = 2) -> Actor:
    return Actor(kind=kind, id=name, org_id=org, name=name, roles=frozenset(roles), level=level)


KEEPER = actor("acc_keeper", "security-admin")
WHOLE = actor("acc_whole", "security-admin", org=ROOT_ORG)
"""Of the whole installation: the pool itself and its devices are theirs."""
USER = actor("acc_user", "integrator")
OTHER = actor("acc_other", "integrator")
AUDITOR = actor("acc_auditor", "auditor")


class CalmCallers:
    """Nobody is risky."""

    def risk_of(self, actor: Actor) -> int:
        return 0


class NamedSubjects:
    """``client:`` names are clients; every other is an account of that id."""

    def resolve_subject(self, org_id: str, name: str) -> str:
        return name if name.startswith(("client:", "account:")) else f"account:{name}"

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        return frozenset({"seal-holder"})


class NoProofs:
    """No checkpoint covers anything yet."""

    def prove_leaf(self, leaf_hash: str) -> None:
        return None


class NoOutbound:
    """Nothing leaves the machine."""

    def get(self, url: str, headers: Any, timeout: float) -> tuple[int, bytes]:
        raise AssertionError(url)

    def post(self, url: str, body: bytes, headers: Any, timeout: float) -> tuple[int, bytes]:
        raise AssertionError(url)


def calm_ports() -> KmsPorts:
    """What other planes provide, where nobody is risky and nothing is proved."""
    return KmsPorts(NamedSubjects(), CalmCallers(), NoProofs(), NoOutbound(), NoOutbound())


@dataclass
class KeyPool:
    spine: Spine
    services: KmsServices
    options: KmsOptions
    made: list[str] = field(default_factory=list)

    def create(self, name: str, key_type: str, *grants: Actor, **options: Any) -> str:
        loaded = self.services.keys.create_key(KEEPER, KeyRequest(name, key_type, **options))
        for subject in grants:
            self.services.key_control.grant_key(KEEPER, name, subject.id, OPERATIONS)
        return loaded.key.id

    def leaves(self) -> list[dict[str, Any]]:
        """Every leaf that the committed units of work recorded."""
        with self.spine.read_engine.begin() as connection:
            rows = connection.execute(select(ledger_door.c.record).order_by(ledger_door.c.id))
            return [orjson.loads(row.record) for row in rows]

    def change(self, statement: Any) -> None:
        """Change the database behind everybody's back, as an intruder would."""
        with self.spine.engine.begin() as connection:
            connection.execute(statement)


@contextmanager
def open_key_pool(
    home: Path,
    *,
    passphrase: str | None = PASSPHRASE,
    devices: Sequence[KeyBackend] | None = None,
    setup: BackendSetup | None = None,
    **spine: Any,
) -> Iterator[KeyPool]:
    """Open the pool in ``home``, made there if there is none; over ``devices`` if given."""
    home.mkdir(exist_ok=True)
    opened = database_spine(home, **spine)
    options = KmsOptions(unlock_passphrase=passphrase, backends=setup or BackendSetup())
    custody = SoftwareCustody(options.profile, opened.parts.randomness, FAST)
    services = build_services(opened.parts, calm_ports(), options, custody=custody, devices=devices)
    if passphrase is not None:
        services.pool.initialise(KEEPER)
    try:
        yield KeyPool(opened, services, options)
    finally:
        opened.close()
