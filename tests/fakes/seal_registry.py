"""The seals' use cases over a real database, with signing keys in memory; who acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from kms.adapters.anchor_files import HomeAnchorFile
from kms.adapters.pdf import PyHankoFiles
from kms.models.seal_registry import FormatVersion, SealedValue, SealRecord, SealRequest
from kms.service.authority import Authority
from kms.service.outside_trust import OutsideTrust
from kms.service.seals import (
    SealApplications,
    SealDestruction,
    SealMaking,
    SealParts,
    SealPolicies,
    SealReceipts,
    SealRegistry,
    SealStamping,
    SealUseRequests,
    SealUses,
    SealUsing,
    SealVerification,
)
from kms.service.time_stamps import TimeStampAuthority
from kms.store.certificates import SqlCertificateStore, SqlTrustStore
from kms.store.holds import SqlHoldStore
from kms.store.seal_lives import SqlSealLifeStore
from kms.store.seal_policies import SqlSealPolicyStore
from kms.store.seal_requests import SqlSealUseRequestStore
from kms.store.seals import SqlSealStore, SqlSealUseStore
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import Spine, journal_folder
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.fakes.sealing import (
    DOCUMENT,
    FakeDocumentBox,
    FakeLedgerProofs,
    FakePainter,
    FakePersons,
    FakeRisks,
    FakeSealingKeys,
    FakeSubjects,
    NoRemoteSealer,
)


def person(name: str, *roles: str, org: str = "org_root") -> Actor:
    return Actor("account", name, org, name, frozenset(roles), level=2)


APPLICANT = person("sun", "seal-applicant")
SECURITY = person("qian", "security-admin")
HOLDER = person("zhou", "seal-holder")
OTHER_HOLDER = person("wu", "seal-holder")
AUDITOR = person("zheng", "auditor")


@dataclass
class World:
    spine: Spine
    clock: FakeClock
    parts: SealParts
    keys: FakeSealingKeys
    risks: FakeRisks
    persons: FakePersons
    proofs: FakeLedgerProofs
    receipts: SealReceipts
    requests: SealUseRequests
    policies: SealPolicies
    applications: SealApplications
    making: SealMaking
    registry: SealRegistry
    destruction: SealDestruction
    using: SealUsing
    stamping: SealStamping
    verification: SealVerification

    def make(
        self, *holders: str, name: str = "临江县数据局", version: FormatVersion = 4
    ) -> SealRecord:
        request = SealRequest(
            name, "round", "临江县数据局", holders or ("zhou",), "公文用印", version
        )
        application = self.applications.apply_seal(APPLICANT, request)
        self.applications.decide_application(SECURITY, application.id, grant=True, reason="同意")
        return self.making.make_seal(SECURITY, application.id)

    def use(self, seal: SealRecord, actor: Actor = HOLDER) -> SealedValue:
        return self.using.use_seal(
            actor, seal.id, document_digest=sm3(DOCUMENT), purpose="印发通知"
        )

    def refused(self) -> list[tuple[str, str, str]]:
        """(action, target, code) of every refusal in the journal, oldest first."""
        reader = JournalReader(journal_folder(self.spine.parts.home))
        acts = [
            orjson.loads(record)
            for process in reader.processes()
            for record in reader.read(process, 0).records
        ]
        return [
            (act["action"], act["target"], act["details"]["code"])
            for act in acts
            if act["outcome"] == "refused"
        ]

    def acts(self) -> list[dict[str, Any]]:
        with self.spine.engine.connect() as connection:
            rows = connection.execute(text("SELECT record FROM ledger_door ORDER BY id"))
            return [orjson.loads(row.record) for row in rows]


def build(
    home: Path, painter: Any = None, pdf: Any = None, remote: Any = None, *, public_url: str = ""
) -> World:
    clock = FakeClock()
    persons = FakePersons()
    spine = database_spine(home, clock=clock, persons=persons)
    keys = FakeSealingKeys()
    outside = OutsideTrust(spine.parts, SqlTrustStore())
    anchor_file = HomeAnchorFile(home)
    authority = Authority(
        spine.parts, keys, SqlCertificateStore(), anchor_file, public_url, outside
    )
    risks, proofs = FakeRisks(), FakeLedgerProofs()
    parts = SealParts(
        spine.parts,
        SqlSealStore(),
        SqlSealUseStore(),
        keys,
        painter or FakePainter(),
        authority,
        FakeSubjects(),
        pdf or PyHankoFiles(),
        SqlSealPolicyStore(),
        risks,
        SqlSealUseRequestStore(),
        FakeDocumentBox(),
        proofs,
        TimeStampAuthority(authority),
        remote or NoRemoteSealer(),
        SqlSealLifeStore(),
    )
    applications = SealApplications(parts)
    return World(
        spine,
        clock,
        parts,
        keys,
        risks,
        persons,
        proofs,
        SealReceipts(parts),
        SealUseRequests(parts, SealUses(parts)),
        SealPolicies(parts),
        applications,
        SealMaking(parts, applications),
        SealRegistry(parts, SqlHoldStore()),
        SealDestruction(parts),
        SealUsing(parts, SealUses(parts)),
        SealStamping(parts, SealUses(parts)),
        SealVerification(parts),
    )
