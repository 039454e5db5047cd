"""The whole plane over a real SQLite file, with fake keys, a fake clock and quick hashing."""

from __future__ import annotations

import base64
import functools
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from iam.adapters.hashing import Argon2Hasher
from iam.core.one_time_passwords import CODES
from iam.core.rfc6238.totp import step_at
from iam.models.options import IamOptions
from iam.models.sessions import FactorAttempt, Opened, PasswordAttempt
from iam.plane import assemble
from iam.ports import (
    CertificateTrust,
    LoginRisk,
    MessageCarrier,
    NoLoginRisk,
    NoOutbound,
    NoTrust,
    Outbound,
)
from iam.service import IamServices
from iam.service.people.beginnings import DemoAccount
from secops.adapters.database.engine import make_engine
from secops.adapters.spine import Spine
from secops.kernel.access import LateAccessControl
from secops.kernel.actors import Actor, os_actor
from secops.web.routes import Plane
from tests.fakes.clock import FakeClock
from tests.fakes.identity_keys import FakeSm2TokenSigner, FakeTokenSigner, fake_iam_ports
from tests.fakes.parts import database_spine
from tests.fakes.randomness import FakeRandomness

OWNER = os_actor("root")
ISSUER = "http://localhost:8080"
ADDRESS = "192.0.2.7"


class CountingHasher(Argon2Hasher):
    """Counts what it is asked to do; argon2id with little memory."""

    def __init__(self, threads: int = 4, queue: int = 8) -> None:
        super().__init__(FakeRandomness("salt"), threads=threads, queue=queue, memory_kib=64)
        self.verified = 0

    def verify(self, encoded: str, password: bytes) -> bool:
        self.verified += 1
        return super().verify(encoded, password)


@dataclass(repr=False)
class IamHome:
    """One opened home with a demo account per role."""

    spine: Spine
    plane: Plane
    clock: FakeClock
    signer: FakeTokenSigner
    hasher: CountingHasher
    demo: dict[str, DemoAccount] = field(default_factory=dict)
    sm2_signer: FakeSm2TokenSigner | None = None

    @property
    def services(self) -> IamServices:
        assert isinstance(self.plane.services, IamServices)
        return self.plane.services

    def actor(self, role: str) -> Actor:
        return self.services.actors.by_account(role)

    def code(self, role: str) -> str:
        """The TOTP code of a demo account, now."""
        text = self.demo[role].otp_secret
        secret = base64.b32decode(text + "=" * (-len(text) % 8))
        gm = self.services.sign_in.means.options.crypto_profile == "gm"
        return CODES["sm3" if gm else "sha1"](secret, step_at(self.clock.now()))

    def begin(self, role: str, password: str | None = None, address: str = ADDRESS) -> str:
        given = self.demo[role].password if password is None else password
        return self.services.sign_in.begin(PasswordAttempt(role, given, address))

    def sign_in(self, role: str) -> Opened:
        reference = self.begin(role)
        return self.services.sign_in.finish(FactorAttempt(reference, self.code(role), ADDRESS))

    def leaves(self) -> list[dict[str, Any]]:
        """What the units of work recorded for the ledger, oldest first."""
        with self.spine.read_engine.begin() as connection:
            rows = connection.execute(sa.text("SELECT record FROM ledger_door ORDER BY id")).all()
        return [orjson.loads(bytes(row.record)) for row in rows]

    def close(self) -> None:
        self.spine.close()


def open_iam_home(
    home: Path,
    *,
    url: str | None = None,
    demo: bool = True,
    signer: FakeTokenSigner | None = None,
    login_risk: LoginRisk | None = None,
    trust: CertificateTrust | None = None,
    outbound: Outbound | None = None,
    carriers: tuple[MessageCarrier, ...] = (),
    **options: Any,
) -> IamHome:
    """Open ``home`` (made if new) with the plane installed and access control bound."""
    demo_accounts: dict[str, DemoAccount] = {}
    if demo and url is None and not (home / "secops.db").exists():
        content, demo_accounts = _demo_home(options.get("crypto_profile", "intl"))
        (home / "secops.db").write_bytes(content)
    opened = _open(
        home,
        url,
        demo=demo,
        signer=signer,
        login_risk=login_risk,
        trust=trust,
        outbound=outbound,
        carriers=carriers,
        **options,
    )
    if demo_accounts:
        # what the template's randomness gave must not be given again
        for _ in range(1_000):
            opened.spine.parts.randomness.bytes(1)
    elif demo:
        made = opened.services.beginnings.create_demo_accounts(OWNER)
        demo_accounts = {account.name: account for account in made}
    opened.demo = demo_accounts
    return opened


@functools.cache
def _demo_home(profile: str) -> tuple[bytes, dict[str, DemoAccount]]:
    """Return a database with the demo accounts; making them anew for each test takes long."""
    with tempfile.TemporaryDirectory() as folder:
        opened = _open(Path(folder), None, demo=True, signer=None, crypto_profile=profile)
        made = opened.services.beginnings.create_demo_accounts(OWNER)
        opened.close()
        engine = make_engine(f"sqlite:///{folder}/secops.db")
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        content = (Path(folder) / "secops.db").read_bytes()
    return content, {account.name: account for account in made}


def _open(
    home: Path,
    url: str | None,
    *,
    demo: bool,
    signer: FakeTokenSigner | None,
    login_risk: LoginRisk | None = None,
    trust: CertificateTrust | None = None,
    outbound: Outbound | None = None,
    carriers: tuple[MessageCarrier, ...] = (),
    **options: Any,
) -> IamHome:
    clock, access = FakeClock(), LateAccessControl()
    spine = database_spine(home, url=url, clock=clock, access=access)
    signer, hasher = signer or FakeTokenSigner(), CountingHasher()
    sm2_signer = FakeSm2TokenSigner() if options.get("crypto_profile") == "gm" else None
    plane = assemble(
        spine.parts,
        replace(
            fake_iam_ports(signer, sm2_signer),
            login_risk=login_risk or NoLoginRisk(),
            outbound=outbound or NoOutbound(),
            trust=trust or NoTrust(),
            carriers=carriers,
        ),
        IamOptions(**{"issuer": ISSUER, "demo": demo, **options}),
        hasher=hasher,
    )
    opened = IamHome(spine, plane, clock, signer, hasher, sm2_signer=sm2_signer)
    access.bind(opened.services.decisions)
    return opened
