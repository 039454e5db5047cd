"""Exports for partners: who may, whom two people approved, what is recorded first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from kms.errors.keys import PoolLocked
from kms.errors.limits import TenantLocked
from kms.errors.openpgp import (
    FingerprintMismatch,
    OpenPgpKeyNotFound,
    PartnerKeyRejected,
    PartnerNotFound,
    PartnerStateConflict,
)
from kms.models.openpgp import MAX_EXPORT, OpenPgpKey, Partner
from kms.service.openpgp import Exports, OpenPgpKeys, OpenPgpParts, Partners
from kms.store.openpgp import SqlOpenPgpStore
from kms.store.tables.openpgp import kms_openpgp_keys
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import journal_folder
from secops.crypto.errors import DecryptionFailed
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.errors import Forbidden, Invalid, TooLarge
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import AUDITOR, KEEPER, USER, WHOLE, KeyPool, actor, open_key_pool
from tests.fakes.openpgp import EXPIRES, FakeOpenPgp
from tests.fakes.sealing import FakePersons

SECOND = actor("acc_second", "security-admin")
STRANGER = actor("acc_far", "security-admin", "integrator", org="org_far")
CONTENT = "审计报告".encode()


@dataclass
class World:
    pool: KeyPool
    keys: OpenPgpKeys
    partners: Partners
    exports: Exports
    persons: FakePersons
    clock: FakeClock
    gpg: FakeOpenPgp

    def key(self) -> OpenPgpKey:
        return self.keys.create_openpgp_key(KEEPER, "临江县数据局", "data@linjiang.gov.cn")

    def partner(self, name: str = "市审计局", number: int = 7) -> Partner:
        key = f"partner {number}".encode()
        asked = self.partners.request_partner(KEEPER, name, key, reason="年度审计")
        return self.approve(asked)

    def approve(self, asked: Partner, who: Actor = SECOND) -> Partner:
        return self.partners.decide_partner(
            who, asked.id, grant=True, reason="已核对", fingerprint=asked.fingerprint
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock, persons, gpg = FakeClock(), FakePersons(), FakeOpenPgp()
    with open_key_pool(tmp_path / "home", clock=clock, persons=persons) as pool:
        parts = pool.spine.parts
        openpgp = OpenPgpParts(
            parts,
            SqlOpenPgpStore(),
            pool.services.system_keys,
            gpg,
        )
        services = OpenPgpKeys(openpgp), Partners(openpgp), Exports(openpgp)
        yield World(pool, *services, persons, clock, gpg)


def test_an_export_is_signed_by_the_own_key_for_the_partners_named(world: World) -> None:
    key, partner = world.key(), world.partner()
    export = world.exports.protect_export(AUDITOR, CONTENT, (partner.name,))
    assert orjson.loads(export.message) == [CONTENT.decode(), "secret 1", ["partner 7"]]
    assert (export.fingerprint, export.partners) == (key.fingerprint, ("市审计局",))
    assert (export.sm3, export.sha256) == (sm3(CONTENT).hex(), sha256(CONTENT).hex())


def test_the_ledger_has_digests_and_fingerprints_before_the_message_goes_out(world: World) -> None:
    key, partner = world.key(), world.partner()
    export = world.exports.protect_export(USER, CONTENT, (partner.name,))
    recorded = acts_of(world)[-1]
    assert recorded["action"] == "kms.protect_export"
    assert recorded["details"] == {
        "sm3": export.sm3,
        "sha256": export.sha256,
        "key": key.fingerprint,
        "message_sm3": sm3(export.message).hex(),
        "partners": [partner.fingerprint],
    }


def acts_of(world: World) -> list[dict[str, Any]]:
    reader = JournalReader(journal_folder(world.pool.spine.parts.home))
    records = [reader.read(process, 0).records for process in reader.processes()]
    return [orjson.loads(record) for found in records for record in found]


def test_a_detached_signature_needs_no_partner(world: World) -> None:
    world.key()
    export = world.exports.sign_export(USER, CONTENT)
    assert orjson.loads(export.message) == [CONTENT.decode(), "secret 1"]
    assert export.partners == ()


def test_a_new_key_signs_and_the_old_one_stays_listed(world: World) -> None:
    first, second = world.key(), world.key()
    listed = world.keys.list_openpgp_keys(AUDITOR, PageRequest()).items
    assert {(each.id, each.state) for each in listed} == {
        (first.id, "retired"),
        (second.id, "active"),
    }
    assert world.exports.sign_export(USER, CONTENT).fingerprint == second.fingerprint


def test_a_retired_key_signs_nothing(world: World) -> None:
    key = world.key()
    world.keys.retire_openpgp_key(KEEPER, key.id)
    with pytest.raises(OpenPgpKeyNotFound):
        world.exports.sign_export(USER, CONTENT)
    assert world.keys.show_openpgp_key(AUDITOR, key.id).public_key == "public 1"


def test_an_expired_key_signs_nothing(world: World) -> None:
    world.key()
    world.clock.instant = EXPIRES
    with pytest.raises(OpenPgpKeyNotFound, match="expired"):
        world.exports.sign_export(USER, CONTENT)


def test_without_a_key_nothing_is_signed(world: World) -> None:
    with pytest.raises(OpenPgpKeyNotFound):
        world.exports.sign_export(USER, CONTENT)


def test_a_locked_pool_signs_nothing(world: World) -> None:
    world.key()
    world.pool.services.pool.lock(WHOLE)
    with pytest.raises(PoolLocked):
        world.exports.sign_export(USER, CONTENT)


def test_a_locked_organisation_signs_nothing_and_the_others_go_on(world: World) -> None:
    world.key()
    other = replace(KEEPER, org_id="org_far")
    world.keys.create_openpgp_key(other, "邻县数据局", "data@lin.gov.cn")
    world.pool.services.tenants.lock_tenant(KEEPER, KEEPER.org_id, reason="停用")
    with pytest.raises(TenantLocked):
        world.exports.sign_export(USER, CONTENT)
    assert world.exports.sign_export(replace(USER, org_id="org_far"), CONTENT).message
    world.pool.services.tenants.unlock_tenant(KEEPER, KEEPER.org_id)
    assert world.exports.sign_export(USER, CONTENT).message


def test_a_secret_put_into_anothers_row_does_not_open(world: World) -> None:
    first, second = world.key(), world.key()
    table = kms_openpgp_keys
    world.pool.change(update(table).where(table.c.id == second.id).values(sealed=first.sealed))
    with pytest.raises(DecryptionFailed):
        world.exports.sign_export(USER, CONTENT)


def test_neither_secret_nor_passphrase_is_stored_or_recorded_readably(world: World) -> None:
    key = world.key()
    assert b"secret 1" not in key.sealed
    assert "secret 1" not in repr(key) + repr(world.pool.leaves())


def test_nothing_goes_to_a_partner_that_waits_for_approval(world: World) -> None:
    world.key()
    world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason="年度审计")
    with pytest.raises(PartnerNotFound):
        world.exports.protect_export(USER, CONTENT, ("市审计局",))


@pytest.mark.parametrize("approver", ["same account", "another account of the same person"])
def test_who_asked_for_a_partner_does_not_approve_it(world: World, approver: str) -> None:
    asked = world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason="年度审计")
    world.persons.same.add(frozenset({KEEPER.id, SECOND.id}))
    who = KEEPER if approver == "same account" else SECOND
    with pytest.raises(SelfApproval):
        world.approve(asked, who)
    assert world.partners.show_partner(KEEPER, asked.id).state == "requested"


@pytest.mark.parametrize("said", ["", "7", f"{'8':0>40}"])
def test_a_fingerprint_that_differs_approves_nothing(world: World, said: str) -> None:
    asked = world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason="年度审计")
    with pytest.raises(FingerprintMismatch):
        world.partners.decide_partner(
            SECOND, asked.id, grant=True, reason="已核对", fingerprint=said
        )
    spaced = " ".join(asked.fingerprint.lower())
    decided = world.partners.decide_partner(
        SECOND, asked.id, grant=True, reason="已核对", fingerprint=spaced
    )
    assert decided.state == "active"


def test_a_partner_is_decided_once(world: World) -> None:
    partner = world.partner()
    with pytest.raises(NotPending):
        world.approve(partner)


def test_a_rejected_partner_gets_nothing(world: World) -> None:
    world.key()
    asked = world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason="年度审计")
    decided = world.partners.decide_partner(SECOND, asked.id, grant=False, reason="指纹不符")
    assert decided.state == "rejected"
    with pytest.raises(PartnerNotFound):
        world.exports.protect_export(USER, CONTENT, ("市审计局",))


def test_a_name_stands_for_one_active_partner(world: World) -> None:
    world.partner()
    asked = world.partners.request_partner(KEEPER, "市审计局", b"partner 8", reason="换钥")
    with pytest.raises(PartnerStateConflict):
        world.approve(asked)
    # the refused decision left the approval as it was
    rejected = world.partners.decide_partner(SECOND, asked.id, grant=False, reason="先停用旧的")
    assert rejected.state == "rejected"


def test_a_retired_partner_gets_nothing_and_its_name_is_free(world: World) -> None:
    world.key()
    partner = world.partner()
    world.partners.retire_partner(KEEPER, partner.id)
    with pytest.raises(PartnerNotFound):
        world.exports.protect_export(USER, CONTENT, ("市审计局",))
    world.partner(number=8)
    export = world.exports.protect_export(USER, CONTENT, ("市审计局",))
    assert orjson.loads(export.message)[2] == ["partner 8"]


def test_only_an_active_partner_is_retired(world: World) -> None:
    asked = world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason="年度审计")
    with pytest.raises(PartnerStateConflict):
        world.partners.retire_partner(KEEPER, asked.id)
    world.key()
    assert world.approve(asked).state == "active"
    assert world.exports.protect_export(USER, CONTENT, (asked.name,)).partners == ("市审计局",)


def test_a_partners_key_that_expired_meanwhile_is_not_encrypted_to(world: World) -> None:
    partner = world.partner()
    world.clock.instant = EXPIRES - 1
    world.key()
    world.clock.instant = EXPIRES
    with pytest.raises((PartnerKeyRejected, OpenPgpKeyNotFound), match="expired"):
        world.exports.protect_export(USER, CONTENT, (partner.name,))


def test_what_is_retired_while_gpg_works_protects_nothing(world: World) -> None:
    key, partner = world.key(), world.partner()
    world.gpg.meanwhile = lambda: world.partners.retire_partner(KEEPER, partner.id)
    with pytest.raises(PartnerNotFound):
        world.exports.protect_export(USER, CONTENT, (partner.name,))
    world.gpg.meanwhile = lambda: world.keys.retire_openpgp_key(KEEPER, key.id)
    with pytest.raises(OpenPgpKeyNotFound):
        world.exports.sign_export(USER, CONTENT)
    world.gpg.meanwhile = lambda: None
    world.key()
    world.gpg.meanwhile = world.key
    with pytest.raises(OpenPgpKeyNotFound):
        world.exports.sign_export(USER, CONTENT)
    assert acts_of(world) == []


@pytest.mark.parametrize("names", [(), ("市审计局", "市审计局"), tuple(map(str, range(21)))])
def test_partners_are_named_once_each_and_not_too_many(world: World, names: Any) -> None:
    world.key()
    world.partner()
    with pytest.raises(Invalid):
        world.exports.protect_export(USER, CONTENT, names)


def test_an_export_has_a_limit_of_size(world: World) -> None:
    world.key()
    with pytest.raises(TooLarge):
        world.exports.sign_export(USER, bytes(MAX_EXPORT + 1))


@pytest.mark.parametrize("name", ["", " ", "a\nName-Email: x@y.z", "a<b", 'a"b', "x" * 101])
def test_a_name_that_would_end_a_user_id_is_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid):
        world.keys.create_openpgp_key(KEEPER, name, "data@linjiang.gov.cn")


@pytest.mark.parametrize("email", ["", "a", "a@b", "a@b.c\n%commit", "a b@c.d", "@c.d"])
def test_an_address_that_is_none_is_refused(world: World, email: str) -> None:
    with pytest.raises(Invalid):
        world.keys.create_openpgp_key(KEEPER, "临江县数据局", email)


def test_an_algorithm_that_is_not_offered_is_refused(world: World) -> None:
    algorithm: Any = "dsa-1024"
    with pytest.raises(Invalid):
        world.keys.create_openpgp_key(KEEPER, "临江县", "data@linjiang.gov.cn", algorithm)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_partner_needs_a_reason(world: World, reason: str) -> None:
    with pytest.raises(Invalid):
        world.partners.request_partner(KEEPER, "市审计局", b"partner 7", reason=reason)


def test_other_organisations_see_and_use_nothing(world: World) -> None:
    key, partner = world.key(), world.partner()
    assert world.keys.list_openpgp_keys(STRANGER, PageRequest()).items == []
    assert world.partners.list_partners(STRANGER, PageRequest()).items == []
    with pytest.raises(OpenPgpKeyNotFound):
        world.keys.show_openpgp_key(STRANGER, key.id)
    with pytest.raises(PartnerNotFound):
        world.partners.retire_partner(STRANGER, partner.id)
    with pytest.raises(OpenPgpKeyNotFound):
        world.exports.protect_export(STRANGER, CONTENT, (partner.name,))


def test_roles_are_kept_apart(world: World) -> None:
    partner = world.partner()
    world.key()
    with pytest.raises(Forbidden):
        world.exports.protect_export(KEEPER, CONTENT, (partner.name,))
    with pytest.raises(Forbidden):
        world.keys.create_openpgp_key(USER, "临江县", "data@linjiang.gov.cn")
    with pytest.raises(Forbidden):
        world.partners.request_partner(AUDITOR, "市审计局", b"partner 7", reason="年度审计")


def test_lists_come_newest_first_in_pages(world: World) -> None:
    names = []
    for number in range(3):
        world.clock.advance(1)
        names.append(world.partner(f"局{number}", number).name)
    first = world.partners.list_partners(AUDITOR, PageRequest(2))
    assert [each.name for each in first.items] == names[:0:-1]
    assert first.next is not None
