"""Limits of keys, quotas and locks of organisations: what is allowed, refused and counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from kms.core.keys import limits as rules
from kms.errors.keys import MaterialTampered, RestoreRefused
from kms.errors.limits import (
    DailyQuotaExceeded,
    KeyLimitReached,
    LimitsChanged,
    QuotaExceeded,
    TenantLocked,
)
from kms.models.keys import KeyRequest
from kms.models.limits import KeyLimits, Quota
from kms.service.batches import Batch
from kms.service.key_backup import RestoreRequest
from kms.store.tables.keys import kms_key_grants, kms_key_versions, kms_keys
from kms.store.tables.limits import kms_key_limits, kms_quotas
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, Invalid, SecopsError
from secops.kernel.pages import PageRequest
from secops.kernel.waiting import MustWait, without_waiting
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import (
    KEEPER,
    ORG,
    USER,
    CalmCallers,
    KeyPool,
    actor,
    open_key_pool,
)
from tests.fakes.vault_service import VaultService

HELLO = "aGVsbG8="
ROOT = actor("acc_root", "security-admin", org=ROOT_ORG)
STRANGER = actor("acc_stranger", "security-admin", org="org_village")
VILLAGER = actor("acc_villager", "integrator", org="org_village")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=clock) as opened:
        yield opened


def use(pool: KeyPool, who: Any = USER, name: str = "k") -> None:
    pool.services.transit.hmac(who, name, {"input": HELLO})


def limit(pool: KeyPool, clock: FakeClock, **limits: Any) -> KeyLimits:
    control = pool.services.limit_control
    version = control.show_key_limits(KEEPER, "k").version
    done = control.set_key_limits(KEEPER, "k", KeyLimits("", version=version, **limits))
    clock.advance(2)
    return done


def test_a_key_without_limits_is_used_as_before(pool: KeyPool) -> None:
    key_id = pool.create("k", "hmac", USER)
    use(pool)
    assert pool.services.limit_control.show_key_limits(KEEPER, "k") == KeyLimits(key_id)


def test_a_key_is_used_in_its_time_only(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "hmac", USER)
    now = clock.now()
    limit(pool, clock, not_before=now + 60 * SECOND, not_after=now + 120 * SECOND)
    with pytest.raises(KeyLimitReached, match="not be used yet"):
        use(pool)
    clock.advance(60)
    use(pool)
    clock.advance(60)
    with pytest.raises(KeyLimitReached, match="time is over"):
        use(pool)


def test_a_key_is_used_as_often_as_it_may_and_not_once_more(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    limit(pool, clock, max_uses=3)
    for _ in range(3):
        use(pool)
    for _ in range(2):
        with pytest.raises(KeyLimitReached, match="3 times"):
            use(pool)
    limit(pool, clock, max_uses=5)
    use(pool)


def test_a_count_is_spent_on_every_operation_and_a_refused_one_costs_nothing(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "aes256-gcm96", USER)
    limit(pool, clock, max_uses=4)
    transit = pool.services.transit
    with pytest.raises(Forbidden):
        transit.encrypt(actor("acc_other", "integrator"), "k", {"plaintext": HELLO})
    text = transit.encrypt(USER, "k", {"plaintext": HELLO}).text
    transit.decrypt(USER, "k", {"ciphertext": text})
    transit.rewrap(USER, "k", {"ciphertext": text})
    transit.make_data_key(USER, "k", {})
    with pytest.raises(KeyLimitReached):
        transit.encrypt(USER, "k", {"plaintext": HELLO})


def test_a_key_is_used_through_its_applications_only(pool: KeyPool, clock: FakeClock) -> None:
    through = replace(USER, client_id="cli_counter")
    application = actor("cli_app", "integrator", kind="client")
    pool.create("k", "hmac", USER)
    pool.services.key_control.grant_key(KEEPER, "k", "client:cli_app", ["hmac"])
    limit(pool, clock, clients=("cli_counter",))
    use(pool, through)
    for other in (USER, replace(USER, client_id="cli_other"), application):
        with pytest.raises(KeyLimitReached, match="application"):
            use(pool, other)
    limit(pool, clock, clients=("cli_app",))
    use(pool, application)


def test_a_risky_caller_is_refused(
    pool: KeyPool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.create("k", "hmac", USER)
    asked: list[str] = []

    def risk_of(_: CalmCallers, caller: Any) -> int:
        asked.append(caller.id)
        return 60

    monkeypatch.setattr(CalmCallers, "risk_of", risk_of)
    limit(pool, clock, max_uses=9)
    use(pool)
    assert asked == []
    limit(pool, clock, max_risk=60)
    use(pool)
    limit(pool, clock, max_risk=59)
    with pytest.raises(KeyLimitReached, match="risk is 60"):
        use(pool)


def spend_until_refused(pool: KeyPool, spent: list[int]) -> None:
    try:
        while True:
            use(pool)
            spent.append(1)
    except KeyLimitReached:
        return


@pytest.mark.parametrize("cap", [7, 450])
def test_threads_and_processes_together_never_pass_the_cap(
    tmp_path: Path, clock: FakeClock, cap: int
) -> None:
    spent: list[int] = []
    with (
        open_key_pool(tmp_path, clock=clock) as first,
        open_key_pool(tmp_path, clock=clock) as second,
    ):
        first.create("k", "hmac", USER)
        limit(first, clock, max_uses=cap)
        threads = [
            threading.Thread(target=spend_until_refused, args=(pool, spent))
            for pool in (first, second)
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(spent) == cap


def test_what_a_killed_process_had_leased_counts_as_used(tmp_path: Path, clock: FakeClock) -> None:
    cap, size = 1_000, rules.lease_size(1_000)
    assert size == 5
    spent: list[int] = []
    with open_key_pool(tmp_path, clock=clock) as first:
        first.create("k", "hmac", USER)
        limit(first, clock, max_uses=cap)
        use(first)
        # this process ends here with four uses that nobody spends
    with open_key_pool(tmp_path, clock=clock) as second:
        spend_until_refused(second, spent)
    assert len(spent) == cap - size


def test_lowering_a_cap_holds_at_once_for_what_was_leased(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "hmac", USER)
    limit(pool, clock, max_uses=2_000)
    use(pool)
    limit(pool, clock, max_uses=10)
    with pytest.raises(KeyLimitReached):
        use(pool)


def test_a_counted_use_never_runs_where_waiting_is_forbidden(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    limit(pool, clock, max_uses=2)
    use(pool)
    with pytest.raises(MustWait):
        without_waiting(lambda: use(pool))
    use(pool)
    with pytest.raises(KeyLimitReached):
        use(pool)


@given(st.integers(0, 10**12))
def test_a_lease_is_a_small_part_of_its_cap(cap: int) -> None:
    size = rules.lease_size(cap)
    assert 1 <= size <= rules.MAX_LEASE
    assert size == 1 or size * 200 <= cap


def test_limits_are_changed_over_the_version_that_was_looked_at(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    control = pool.services.limit_control
    assert limit(pool, clock, max_uses=1).version == 1
    with pytest.raises(LimitsChanged):
        control.set_key_limits(KEEPER, "k", KeyLimits("", version=0))
    leaf = pool.leaves()[-1]
    assert (leaf["action"], leaf["details"]["before"]["max_uses"]) == ("kms.set_key_limits", None)
    assert leaf["details"]["after"]["max_uses"] == 1


def test_two_who_change_limits_at_once_leave_one_change(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.create("k", "hmac", USER)
    control = pool.services.limit_control
    key = pool.services.keys.get_key(KEEPER, "k")
    monkeypatch.setattr(control._ring, "read", lambda *_: key)
    control.set_key_limits(KEEPER, "k", KeyLimits("", max_uses=1))
    with pytest.raises(LimitsChanged):
        control.set_key_limits(KEEPER, "k", KeyLimits("", max_uses=2))


WITHOUT_SENSE: tuple[dict[str, Any], ...] = (
    {"not_before": -1},
    {"not_after": -1},
    {"not_before": 9, "not_after": 9},
    {"max_uses": -1},
    {"max_uses": 10**12 + 1},
    {"max_risk": 101},
    {"max_risk": -1},
    {"clients": ("a", "a")},
    {"clients": ("",)},
    {"clients": ("a\n",)},
    {"clients": tuple(map(str, range(101)))},
)


def test_limits_that_make_no_sense_are_refused(pool: KeyPool) -> None:
    pool.create("k", "hmac", USER)
    for wrong in WITHOUT_SENSE:
        with pytest.raises(Invalid):
            pool.services.limit_control.set_key_limits(KEEPER, "k", KeyLimits("", **wrong))


def test_attack_limits_in_the_database_are_neither_changed_nor_taken_away(
    pool: KeyPool, tmp_path: Path, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    limit(pool, clock, max_uses=1)
    older = limit(pool, clock, max_uses=2)
    attacks = (
        update(kms_key_limits).values(max_uses=10**9),
        update(kms_key_limits).values(version=1),
        delete(kms_key_limits),
        update(kms_keys).values(limits_version=0),
    )
    assert older.version == 2
    for attack in attacks:
        pool.change(attack)
        with (
            open_key_pool(tmp_path, clock=clock) as fresh,
            pytest.raises(MaterialTampered),
        ):
            use(fresh)


def test_only_security_administrators_set_limits(pool: KeyPool) -> None:
    pool.create("k", "hmac", USER)
    control = pool.services.limit_control
    for attempt in (
        lambda: control.set_key_limits(USER, "k", KeyLimits("")),
        lambda: control.show_key_limits(USER, "k"),
        lambda: control.show_tenant(USER, ORG),
        lambda: control.show_tenant(STRANGER, ORG),
        lambda: control.set_quota(USER, Quota(ORG)),
        lambda: control.set_quota(KEEPER, Quota(ORG)),
        lambda: pool.services.tenants.lock_tenant(USER, ORG, reason="r"),
        lambda: pool.services.tenants.lock_tenant(STRANGER, ORG, reason="r"),
        lambda: pool.services.tenants.unlock_tenant(STRANGER, ORG),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_an_organisation_makes_as_many_keys_and_versions_as_its_quota_says(
    pool: KeyPool,
) -> None:
    control, keys = pool.services.limit_control, pool.services.keys
    control.set_quota(ROOT, Quota(ORG, keys=2, versions=3))
    pool.create("a", "hmac")
    pool.create("b", "hmac")
    with pytest.raises(QuotaExceeded, match="2 keys"):
        pool.create("c", "hmac")
    keys.rotate_key(KEEPER, "a")
    with pytest.raises(QuotaExceeded, match="3 key versions"):
        keys.rotate_key(KEEPER, "a")
    # nothing of what was refused is left, and other organisations go on
    shown = control.show_tenant(KEEPER, ORG)
    assert (shown.keys, shown.versions, shown.locked) == (2, 3, False)
    keys.create_key(STRANGER, KeyRequest("c", "hmac"))
    pool.services.system_keys.signer("own", "ed25519")
    root = control.show_tenant(ROOT, ROOT_ORG)
    assert (root.keys, root.versions) == (0, 0)


def test_an_organisation_uses_its_keys_as_often_a_day_as_its_quota_says(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    pool.services.limit_control.set_quota(ROOT, Quota(ORG, daily_operations=2))
    clock.advance(2)
    use(pool)
    use(pool)
    with pytest.raises(DailyQuotaExceeded) as caught:
        use(pool)
    wait = caught.value.facts["retry_after"]
    assert isinstance(wait, int)
    assert pool.services.limit_control.show_tenant(KEEPER, ORG).operations_leased == 2
    clock.advance(wait)
    use(pool)
    clock.advance(86_400)
    use(pool)


def test_a_batch_that_moves_to_a_thread_is_counted_once(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "sm2", USER)
    pool.services.limit_control.set_quota(ROOT, Quota(ORG, daily_operations=8_000))
    clock.advance(2)
    transit, batch = pool.services.transit, Batch("sign", [{"input": HELLO}] * 20, {})
    transit.sign(USER, "k", {"input": HELLO})
    with pytest.raises(MustWait):
        without_waiting(lambda: transit.use_batch(USER, "k", batch))
    assert len(transit.use_batch(USER, "k", batch).outcomes) == 20
    leased = pool.services.limit_control.show_tenant(KEEPER, ORG).operations_leased
    assert leased == rules.lease_size(8_000)


def test_a_quota_is_changed_over_its_version_and_bound_to_the_root(pool: KeyPool) -> None:
    control = pool.services.limit_control
    control.set_quota(ROOT, Quota(ORG, keys=1))
    with pytest.raises(LimitsChanged):
        control.set_quota(ROOT, Quota(ORG, keys=2))
    with pytest.raises(Invalid):
        control.set_quota(ROOT, Quota(ORG, keys=-1, version=1))
    assert control.set_quota(ROOT, Quota(ORG, keys=2, version=1)).version == 2
    pool.change(update(kms_quotas).values(keys=10**9))
    with pytest.raises(MaterialTampered):
        pool.create("a", "hmac")


def test_a_locked_organisation_is_refused_and_the_others_go_on(pool: KeyPool) -> None:
    pool.create("k", "hmac", USER)
    keys, tenants = pool.services.keys, pool.services.tenants
    keys.create_key(STRANGER, KeyRequest("k", "hmac"))
    pool.services.key_control.grant_key(STRANGER, "k", VILLAGER.id, ["hmac"])
    own = pool.services.system_keys.signer("own", "ed25519")
    tenants.lock_tenant(KEEPER, ORG, reason="under attack")
    for attempt in (
        lambda: use(pool),
        lambda: keys.create_key(KEEPER, KeyRequest("n", "hmac")),
        lambda: keys.get_key(KEEPER, "k"),
        lambda: keys.list_keys(KEEPER, PageRequest()),
        lambda: keys.rotate_key(KEEPER, "k"),
        lambda: keys.configure_key(KEEPER, "k", {"deletion_allowed": True}),
        lambda: pool.services.key_control.grant_key(KEEPER, "k", "x", ["hmac"]),
        lambda: pool.services.limit_control.show_key_limits(KEEPER, "k"),
    ):
        with pytest.raises(TenantLocked):
            attempt()
    use(pool, VILLAGER)
    own.sign(b"the product goes on")
    assert pool.services.limit_control.show_tenant(ROOT, ORG).locked
    tenants.unlock_tenant(ROOT, ORG)
    use(pool)


@pytest.fixture
def service(pool: KeyPool) -> VaultService:
    return VaultService(pool)


KEY = "/api/v1/kms/keys/k/limits"
TENANT = f"/api/v1/kms/tenants/{ORG}"


def put(service: VaultService, path: str, body: bytes, version: str | None) -> tuple[Any, Any, Any]:
    headers = {"X-Vault-Token": "keeper"}
    if version is not None:
        headers["If-Match"] = version
    return service.send("PUT", path, headers, body)


def test_limits_are_read_and_set_over_http_by_version(
    service: VaultService, clock: FakeClock
) -> None:
    service.pool.create("k", "hmac", USER)
    status, headers, body = service.call("GET", KEY, token="auditor")
    assert (status, headers["etag"], body["max_uses"]) == (200, '"0"', None)
    wish = b'{"max_uses":1,"not_after":"2999-01-01T00:00:00+08:00","clients":[],"max_risk":50}'
    status, headers, content = put(service, KEY, wish, '"0"')
    assert (status, headers["etag"]) == (200, '"1"')
    assert b"2998-12-31T16:00:00" in content
    assert put(service, KEY, wish, '"0"')[0] == 412
    clock.advance(2)
    assert service.call("POST", "/v1/transit/hmac/k", {"input": HELLO})[0] == 200
    refused = service.call("POST", "/v1/transit/hmac/k", {"input": HELLO})
    assert (refused[0], refused[2]["errors"][0].split(":")[0]) == (403, "kms.key_limit_reached")


MALFORMED: tuple[tuple[bytes, str | None], ...] = (
    (b"{}", None),
    (b"{}", '"x"'),
    (b"{}", '"1234567890"'),
    (b'{"max_uses":"1"}', '"0"'),
    (b'{"max_uses":true}', '"0"'),
    (b'{"not_after":"tomorrow"}', '"0"'),
    (b'{"not_after":7}', '"0"'),
    (b'{"not_after":"2030-01-01T00:00:00"}', '"0"'),
    (b'{"clients":"a"}', '"0"'),
    (b'{"clients":[1]}', '"0"'),
)


def test_malformed_limits_are_400(service: VaultService) -> None:
    service.pool.create("k", "hmac", USER)
    for body, version in MALFORMED:
        assert put(service, KEY, body, version)[0] == 400, body


def test_a_tenant_is_shown_locked_and_unlocked_over_http(service: VaultService) -> None:
    service.pool.create("k", "hmac", USER)
    status, headers, body = service.call("GET", TENANT, token="auditor")
    assert (status, headers["etag"]) == (200, '"0"')
    assert body["used"] == {"keys": 1, "versions": 1, "operations_today": 0}
    assert put(service, f"{TENANT}/quota", b'{"keys":1}', '"0"')[0] == 403
    assert service.call("POST", f"{TENANT}/lock", {}, token="keeper")[0] == 400
    assert service.call("POST", f"{TENANT}/lock", {"reason": "r"}, token="keeper")[0] == 204
    refused = service.call("POST", "/v1/transit/hmac/k", {"input": HELLO})
    assert (refused[0], refused[2]["errors"][0].split(":")[0]) == (503, "kms.tenant_locked")
    assert service.call("POST", f"{TENANT}/unlock", {}, token="user")[0] == 403
    assert service.call("POST", f"{TENANT}/unlock", {}, token="keeper")[0] == 204
    assert service.call("POST", "/v1/transit/hmac/k", {"input": HELLO})[0] == 200


def test_every_error_here_has_its_own_status() -> None:
    statuses: dict[type[SecopsError], int] = {
        TenantLocked: 503,
        KeyLimitReached: 403,
        QuotaExceeded: 403,
        DailyQuotaExceeded: 429,
        LimitsChanged: 412,
    }
    assert {kind: kind.status for kind in statuses} == statuses


def test_many_uses_at_once_are_counted_all_or_none(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "hmac", USER)
    limit(pool, clock, max_uses=10)
    key = pool.services.keys.get_key(KEEPER, "k").key
    limiter = pool.services.limit_control._limiter
    limiter.demand(USER, key, 7)
    with pytest.raises(KeyLimitReached):
        limiter.demand(USER, key, 4)
    limiter.demand(USER, key, 3)
    with pytest.raises(KeyLimitReached):
        limiter.demand(USER, key)


def test_a_restored_key_has_the_limits_of_the_one_it_comes_from(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER, exportable=True, allow_plaintext_backup=True)
    backups = pool.services.key_backups
    early = backups.backup_key(KEEPER, "k").text
    limit(pool, clock, max_uses=1)
    late = backups.backup_key(KEEPER, "k").text
    for number, text in enumerate((early, late)):
        name = f"copy-{number}"
        backups.restore_key(KEEPER, RestoreRequest(text, name))
        pool.services.key_control.grant_key(KEEPER, name, USER.id, ["hmac"])
        clock.advance(2)
        use(pool, name=name)
        with pytest.raises(KeyLimitReached):
            use(pool, name=name)
    pool.change(delete(kms_key_limits))
    with pytest.raises(RestoreRefused):
        backups.restore_key(KEEPER, RestoreRequest(late, "copy-3"))


def test_a_key_that_is_gone_comes_back_with_its_limits(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "hmac", USER, exportable=True, allow_plaintext_backup=True)
    limit(pool, clock, max_uses=1)
    limit(pool, clock, max_uses=2)
    text = pool.services.key_backups.backup_key(KEEPER, "k").text
    for table in (kms_keys, kms_key_versions, kms_key_grants):
        pool.change(delete(table).where(table.c.org_id == ORG))
    pool.services.key_backups.restore_key(KEEPER, RestoreRequest(text))
    assert pool.services.limit_control.show_key_limits(KEEPER, "k").max_uses == 2
