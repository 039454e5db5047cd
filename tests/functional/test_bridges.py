"""What one plane hears of another in an assembled demo home: each bridge keeps its port."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from audits.errors import SignerLocked
from audits.models.evidence import Fact
from audits.models.systems import THIS_INSTANCE, Asset, Scope, System
from detectors.models.alerts import AlertFilter
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.ports import SigningKey
from iam.service.zero_trust.book import InForce
from kms.service.system_keys import SystemPublicKey
from playbooks.ports import Order
from playbooks.service import NewIncident
from secops.app import open_house
from secops.bridges.accounts import LateSubjects
from secops.bridges.alerts import DetectorAlerts
from secops.bridges.containment import PlaneContainment, Shield, shield
from secops.bridges.entity_cards import LateIncidents, PlatformEntities
from secops.bridges.evidence import Evidence
from secops.bridges.evidence.looking import Look
from secops.bridges.evidence.transport import TransportEvidence
from secops.bridges.house import House
from secops.bridges.keys import (
    PoolCheckpointSigner,
    PoolReportSigner,
    PoolTokenSigner,
    _paired,
    sm2_token_signer,
)
from secops.bridges.logs import DetectorLogs
from secops.bridges.notices import options, outbound
from secops.bridges.own_acts import LedgerActs
from secops.cli import cli
from secops.crypto import signatures
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from secops.kernel.pages import PageRequest
from secops.settings import Settings, SettingsRejected
from tests.fakes.clock import FakeClock
from tests.fakes.demo_site import make_demo_home, read_logins

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ORDER = Order(ROOT_ORG, "run_1", "inc_1", "k1", "acc_a", "acc_b", "brute force", 1_000)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An opened demo home with the samples in it."""
    home = tmp_path_factory.mktemp("bridged") / "home"
    make_demo_home(home)
    words = ["--home", str(home), "demo-data", "--samples", str(SAMPLES)]
    cli.main(words, standalone_mode=False)
    opened = open_house(home)
    yield opened
    opened.close()


# alerts for incidents


def test_an_incident_gets_an_alert_with_the_hashes_of_its_raw_lines(house: House) -> None:
    analyst = house.act_as("analyst")
    listed = house.detectors.alerts.list_alerts(analyst, AlertFilter(), PageRequest())
    bridge = DetectorAlerts(house.detectors)
    lines = {
        hashlib.sha256(line).hexdigest()
        for file in SAMPLES.glob("*.log")
        for line in file.read_bytes().splitlines()
    }
    for alert in listed.items:
        summary = bridge.get_alert(ROOT_ORG, alert.id)
        assert summary is not None
        assert (summary.id, summary.severity) == (alert.id, alert.severity)
        assert summary.evidence
        assert set(summary.evidence.values()) <= lines


def test_another_organisations_alert_is_not_there(house: House) -> None:
    analyst = house.act_as("analyst")
    page = house.detectors.alerts.list_alerts(analyst, AlertFilter(), PageRequest())
    assert DetectorAlerts(house.detectors).get_alert("org_other", page.items[0].id) is None
    assert DetectorAlerts(house.detectors).get_alert(ROOT_ORG, "alert_none") is None


# cards on the page of an alert


def test_cards_tell_the_state_of_accounts_addresses_keys_and_seals(house: House) -> None:
    cards, analyst = PlatformEntities(house.iam, house.kms), house.act_as("analyst")
    known = cards.look(analyst, "account", "integrator")
    assert known is not None
    assert (known.name, known.state.en, known.trouble) == ("integrator", "active", False)
    assert cards.look(analyst, "account", known.id) == known
    for kind, name in (("account", "nobody"), ("session", "ses_none"), ("address", "no address")):
        strange = cards.look(analyst, kind, name)  # type: ignore[arg-type]
        assert strange is not None
        assert not strange.known
    free = cards.look(analyst, "address", "192.0.2.77")
    assert free is not None
    assert (free.state.en, free.known) == ("allowed", True)
    security = house.act_as("security-admin")
    key = house.kms.keys.get_key(security, "demo-sm2").key
    seen = cards.look(security, "key", key.id)
    assert seen is not None
    assert (seen.name, seen.state.zh) == ("demo-sm2", "正常")
    seal = house.kms.seal_registry.list_seals(security, PageRequest()).items[0]
    sealed = cards.look(security, "seal", seal.id)
    assert sealed is not None
    assert sealed.known
    (client, *_) = house.iam.clients.list_clients(security, PageRequest()).items
    assert cards.look(security, "client", client.id) is not None


def test_a_card_is_not_shown_to_who_may_not_see_such_things(house: House) -> None:
    cards, analyst = PlatformEntities(house.iam, house.kms), house.act_as("analyst")
    assert [cards.look(analyst, kind, "demo-sm2") for kind in ("key", "client")] == [None, None]  # type: ignore[arg-type]
    staff = house.act_as("staff")
    assert cards.look(staff, "account", "integrator") is None
    foreign = replace(analyst, org_id="org_other")
    for kind, name in (("account", "integrator"), ("address", "192.0.2.77")):
        seen = cards.look(foreign, kind, name)  # type: ignore[arg-type]
        assert seen is not None
        assert (seen.id, seen.known) == (name, False), "that it exists is not told"


def test_a_living_session_is_told_from_one_that_is_over(house: House) -> None:
    cards, security = PlatformEntities(house.iam, house.kms), house.act_as("security-admin")
    sign_in(house, "auditor")
    account = house.iam.accounts.get_account(security, "auditor")
    (session,) = house.iam.sessions.list_sessions(security, PageRequest(), "auditor").items
    alive = cards.look(security, "session", session.id)
    assert alive is not None
    assert (alive.state.en, alive.trouble) == ("alive", False)
    assert account.id in {value for _, value in alive.facts}
    house.iam.sessions.revoke_session(security, session.id, "a test")
    over = cards.look(security, "session", session.id)
    assert over is not None
    assert (over.state.en, over.trouble) == ("over", True)


def test_the_incident_of_an_alert_is_told_to_who_may_see_incidents(house: House) -> None:
    analyst, late = house.act_as("analyst"), LateIncidents()
    alert = house.detectors.alerts.list_alerts(analyst, AlertFilter(), PageRequest()).items[-1]
    assert late.incident_of(analyst, alert.id) is None
    late.bind(house.playbooks)
    assert late.incident_of(analyst, alert.id) is None
    opened = house.playbooks.incidents.open_incident(analyst, NewIncident(alert_id=alert.id))
    found = late.incident_of(analyst, alert.id)
    assert found is not None
    assert (found.id, found.state.zh) == (opened.id, "待研判")
    assert late.incident_of(house.act_as("staff"), alert.id) is None
    assert late.incident_of(replace(analyst, org_id="org_other"), alert.id) is None


# evidence for assessments


def own_scope(*assets: Asset) -> Scope:
    system = System(
        id=THIS_INSTANCE,
        org_id=ROOT_ORG,
        name="本平台",
        level=3,
        s_level=3,
        a_level=3,
        uses=("iam", "kms", "logs"),
    )
    return Scope(system, assets)


def evidence_of(house: House, settings: Settings | None = None) -> Evidence:
    looking = Evidence(
        settings or house.settings, iam=house.iam, kms=house.kms, detectors=house.detectors
    )
    looking.bind(playbooks=house.playbooks, audits=house.audits)
    return looking


def facts_of(house: House, settings: Settings | None = None) -> dict[str, dict[str, object]]:
    auditor = house.act_as("auditor")
    taken = evidence_of(house, settings)(auditor, own_scope(), house.parts.clock.now())
    return {snapshot.kind: dict(snapshot.facts) for snapshot in taken}


def test_every_kind_of_evidence_says_who_looked_what_was_asked_and_where_to_see_it(
    house: House,
) -> None:
    auditor = house.act_as("auditor")
    at = house.parts.clock.now()
    taken = {snapshot.kind: snapshot for snapshot in evidence_of(house)(auditor, own_scope(), at)}
    assert len(taken) >= 28
    assert {snapshot.taken_at for snapshot in taken.values()} == {at}
    for kind, snapshot in taken.items():
        assert kind in snapshot.origin.source
        assert snapshot.origin.query
        assert snapshot.origin.link.startswith("/")
        assert all(isinstance(value, str | int | bool) for value in snapshot.facts.values())


def test_facts_say_what_is_true_of_this_home(house: House) -> None:
    facts = facts_of(house)
    assert facts["iam.users"]["default_accounts"] == len(read_logins(house.settings.home))
    assert facts["kms.custody"]["damaged_system_keys"] == 0
    assert facts["kms.custody"]["refused_engines"] == 0
    assert facts["kms.custody"]["hardware"] is False
    assert facts["kms.policy"]["weak_keys"] == 0
    assert facts["iam.policy"]["altered"] == 0
    assert facts["ledger.integrity"]["valid"] is True
    # the samples are of a fixed day: what is in them is told on the day they end
    last = max(each.last_at for each in house.detectors.logs.store.sources())
    then = evidence_of(house)(house.act_as("auditor"), own_scope(), last + 1)
    (schema,) = (each.facts for each in then if each.kind == "log.schema")
    assert schema["time_permille"] == 1_000
    assert facts["log.retention"]["configured_days"] == house.settings.retention_days
    assert facts["tls.scan"]["listeners_plain"] == 0
    assert facts["tls.scan"]["listeners_encrypted"] is False
    assert facts["tls.scan"]["flows"] == 0
    assert facts["incident.record"]["closed"] == 0
    assert "closed_without_cause" not in facts["incident.record"], "nothing closed, nothing said"
    assert not {"vpn.log", "proxy.log", "bastion.log", "ids.alert", "fw.config"} & set(facts)


def scan_of(settings: Settings, **agreed: Fact) -> dict[str, object]:
    look = TransportEvidence(settings, lambda *_: agreed).looks["tls.scan"]
    sight = look(cast("Look", None))
    assert sight is not None
    return dict(sight.facts)


def test_each_flow_in_clear_beyond_this_machine_is_named(house: House) -> None:
    flowing = replace(
        house.settings,
        webhook_url="http://hook.example/x",
        time_stamp_url="https://stamp.example",
        mail_server="mail.example:25",
        mail_encryption="none",
        logstore_url="http://127.0.0.1:9200",
        database_url="postgresql://u@db.example/secops?sslmode=prefer",
        syslog_udp="*:514",
        syslog_tcp="127.0.0.1:514",
    )
    seen = scan_of(flowing)
    assert seen["flows_plain_names"] == "database_url mail_server syslog_udp webhook_url"
    assert (seen["flows"], seen["flows_plain"]) == (5, 4)
    safe = replace(flowing, database_url="postgresql://u@db.example/secops?sslmode=verify-full")
    assert scan_of(safe)["flows_plain"] == 3


def test_a_listener_beyond_loopback_counts_as_plain_or_encrypted(house: House) -> None:
    wide = replace(house.settings, listen="0.0.0.0:443")
    assert scan_of(wide)["listeners_plain"] == 1
    encrypted = replace(wide, tls_cert="c.pem", tls_key="k.pem")
    tls = scan_of(encrypted)
    assert (tls["listeners_plain"], tls["listeners_encrypted"]) == (0, True)
    assert "probe_version" not in tls, "nobody answered: nothing is said of the handshake"
    assert scan_of(encrypted, probe_version=13)["probe_version"] == 13
    assert "probe_version" not in scan_of(wide, probe_version=13), "no TLS of its own"
    named = replace(house.settings, listen="gateway.example:443")
    assert scan_of(named)["listeners_plain"] == 1


def test_a_backup_becomes_a_fact_with_its_age(house: House, tmp_path: Path) -> None:
    words = ["--home", str(house.settings.home), "backup", str(tmp_path / "b.tar")]
    cli.main(words, standalone_mode=False)
    house.audits.ledger.sequencer.drain()
    later = evidence_of(house)(
        house.act_as("auditor"), own_scope(), house.parts.clock.now() + 2 * DAY
    )
    (backup,) = [snapshot.facts for snapshot in later if snapshot.kind == "backup.job"]
    assert backup["age_hours"] in (47, 48)


def test_what_cannot_be_seen_is_left_out_and_nothing_is_invented(house: House) -> None:
    unbound = Evidence(house.settings, iam=house.iam, kms=house.kms, detectors=house.detectors)
    nobody = replace(house.act_as("auditor"), roles=frozenset(), id="acc_nobody")
    taken = {s.kind: s.facts for s in unbound(nobody, own_scope(), house.parts.clock.now())}
    assert "log.coverage" not in taken
    assert not {"incident.record", "ledger.integrity", "backup.job"} & set(taken)


def follow_own_log(house: House) -> None:
    house.audits.ledger.sequencer.drain()
    jobs = {job.name: job.tick for plane in house.planes for job in plane.jobs}
    while jobs["detectors.watch_ledger"]():
        pass


def test_what_administrators_did_is_seen_in_the_platforms_own_log(house: House) -> None:
    sign_in(house, "security-admin")
    house.iam.accounts.lock_account(house.act_as("security-admin"), "seal-applicant", "a test")
    follow_own_log(house)
    facts = facts_of(house)
    acts = facts["admin.sessions"]
    assert acts["security_admin_acts_outside"] == acts["security_admin_acts"] != 0, "all commands"
    assert facts["admin.sessions"]["security_admin_sign_ins_weak"] == 0
    assert "audit_admin_acts" not in facts["admin.sessions"], "nobody acted: nothing is said"
    assert facts["iam.auth_log"]["administrator_sign_ins"] == 1
    assert facts["iam.auth_log"]["administrator_ranges"] == 0
    assert "administrator_sign_ins_outside" not in facts["iam.auth_log"]
    assert facts["iam.auth_log"]["guessed_past_limit"] == 0
    assert int(str(facts["iam.user_lifecycle"]["unapproved"])) >= 1
    assert facts["data.access_log"]["reads"] == 0
    assert facts["data.access_log"]["bulk_rules"] == 5
    assert facts["log.coverage"]["own_log"] is True


def test_sign_ins_from_outside_the_administrators_zone_are_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(house, "system-admin")
    evidence = house.iam.evidence
    for network, outside in (("127.0.0.0/8", 0), ("10.0.0.0/8", 1)):
        zones = (("administrators", (ip_network(network),)),)
        data = replace(evidence.book.current().data, zones=zones)
        zoned = InForce(evidence.book.shipped.engine, data)
        monkeypatch.setattr(evidence.book, "current", lambda zoned=zoned: zoned)
        seen = evidence.sign_ins(ROOT_ORG, "system-admin", 0)
        assert (seen.sign_ins, seen.weak, seen.outside) == (1, 0, outside)
        assert evidence.administrators_zones() == {"administrators"}


# containment for playbooks


def contained(house: House, shielded: Shield | None = None) -> PlaneContainment:
    return PlaneContainment(house.iam.containment, house.kms.containment, shielded or Shield())


def last_act(house: House, action: str) -> dict[str, Any]:
    store = house.audits.ledger.store
    acts = [orjson.loads(one.entry.record) for one in store.entries(0, 1_000_000)]
    return [act for act in acts if act["action"] == action][-1]


def sign_in(house: House, account: str) -> None:
    login = read_logins(house.settings.home)[account]
    reference = house.iam.sign_in.begin(PasswordAttempt(account, login.password, "127.0.0.1"))
    code = login.code(house.parts.clock.now())
    house.iam.sign_in.finish(FactorAttempt(reference, code, "127.0.0.1"))


def test_an_order_ends_sessions_and_locks_and_twice_is_once(house: House) -> None:
    containment = contained(house)
    sign_in(house, "staff")
    state = containment.look("account", ROOT_ORG, "staff")
    assert state is not None
    assert (state.held, state.protected) == (False, "")
    assert len(containment.sessions_of(state.id)) == 1
    assert containment.revoke_sessions(state.id, ORDER) == 1
    assert containment.revoke_sessions(state.id, ORDER) == 0
    containment.restrain("account", state.id, ORDER)
    containment.restrain("account", state.id, ORDER)
    after = containment.look("account", ROOT_ORG, state.id)
    assert after is not None
    assert (after.held, after.state) == (True, "locked")
    assert house.parts.revocations.is_revoked("account", state.id)


def test_the_last_administrator_is_protected_by_name(house: House) -> None:
    state = contained(house).look("account", ROOT_ORG, "audit-admin")
    assert state is not None
    assert state.protected == "the last audit-admin"


def test_an_account_of_another_organisation_is_not_there(house: House) -> None:
    containment = contained(house)
    assert containment.look("account", "org_other", "analyst") is None
    assert containment.look("account", ROOT_ORG, "nobody-of-this-name") is None


def test_the_products_own_keys_are_protected_and_stay_in_use(house: House) -> None:
    containment = contained(house)
    with house.spine.read_engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM kms_keys WHERE mount = 'system'")
        own = [row.id for row in rows]
    assert own
    for key in own:
        seen = containment.look("key", ROOT_ORG, key)
        assert seen is not None
        assert seen.protected == "one of the product's own keys"
        with pytest.raises(Conflict):
            containment.restrain("key", key, ORDER)
        assert not house.parts.revocations.is_revoked("key", key)
    assert containment.look("key", ROOT_ORG, "system/tokens") is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "an address of this installation"),
        ("::1", "an address of this installation"),
        ("0.0.0.0", "an address of this installation"),  # noqa: S104 - refused
        ("10.1.2.3", "an address of this installation"),
        ("192.0.2.77", "an address of this installation"),
        ("198.51.100.8", "an address of this installation"),
        ("203.0.113.9", ""),
    ],
)
def test_addresses_of_the_installation_are_protected(house: House, address: str, why: str) -> None:
    settings = replace(
        house.settings,
        listen="192.0.2.77:443",
        trusted_proxies="10.0.0.0/8",
        response_protected="address:198.51.100.0/28",
    )
    seen = contained(house, shield(settings)).look("address", ROOT_ORG, address)
    assert seen is not None
    assert seen.protected == why


def test_what_the_settings_list_is_protected_at_the_plan_and_at_the_deed(house: House) -> None:
    account = house.iam.actors.by_account("integrator").id
    listed = f"account:integrator,account:{account}"
    containment = contained(house, shield(replace(house.settings, response_protected=listed)))
    for kind in ("account", "step-up"):
        seen = containment.look(kind, ROOT_ORG, "integrator")  # type: ignore[arg-type]
        assert seen is not None
        assert seen.protected == "listed in response_protected"
    with pytest.raises(Conflict):
        containment.restrain("account", account, ORDER)
    assert not house.parts.revocations.is_revoked("account", account)


@pytest.mark.parametrize("entry", ["integrator", "session:x", "account:", "address:nowhere"])
def test_a_protected_entry_of_no_kind_is_refused(house: House, entry: str) -> None:
    with pytest.raises(SettingsRejected):
        shield(replace(house.settings, response_protected=entry))


@pytest.mark.parametrize(("limits", "cut"), [((5, 1 << 20), True), ((10_000, 3_000), True)])
def test_logs_for_evidence_are_bounded_and_the_ledger_says_who_wanted_them(
    house: House, limits: tuple[int, int], *, cut: bool
) -> None:
    logs, now = DetectorLogs(house.detectors), house.parts.clock.now()
    found = logs.extract("event.action:ssh_login", (0, now), ORDER, limits=limits)
    lines = found.content.splitlines()
    assert (len(lines), found.is_cut) == (found.events, cut)
    assert 0 < found.events <= limits[0]
    assert len(found.content) <= limits[1]
    assert all(orjson.loads(line)["fields"]["event.action"] == "ssh_login" for line in lines)
    house.audits.ledger.sequencer.drain()
    act = last_act(house, "detectors.collect_logs")
    assert act["details"]["run"] == ORDER.run_id
    assert act["details"]["sha256"] == hashlib.sha256(found.content).hexdigest()
    assert "ssh_login" not in orjson.dumps(act).decode()


@pytest.mark.parametrize("query", ["(", "x" * 4_001])
def test_a_query_that_is_none_is_refused_before_anybody_is_asked(house: House, query: str) -> None:
    with pytest.raises(Invalid):
        DetectorLogs(house.detectors).check(query)


def test_a_grant_resolves_names_and_refuses_unknown_ones(house: House) -> None:
    late = LateSubjects()
    with pytest.raises(Unavailable):
        late.resolve_subject(ROOT_ORG, "analyst")
    late.bind(house.iam)
    kind, _, _ = late.resolve_subject(ROOT_ORG, "analyst").partition(":")
    assert kind == "account"
    with pytest.raises(NotFound):
        late.resolve_subject(ROOT_ORG, "nobody-of-this-name")


# keys for the other planes


def names_of(keys: Iterable[SigningKey]) -> list[str]:
    return [key.name for key in keys]


def test_a_new_token_key_is_published_a_day_before_it_signs(house: House) -> None:
    clock = FakeClock(house.parts.clock.now() + 10_000_000)
    signer = PoolTokenSigner(house.kms, clock)
    (first,) = signer.keys()
    assert signer.sign(first.name, b"message")
    assert signer.renew(before=0) is False
    assert signer.renew(before=clock.now()) is True
    deadline = time.monotonic() + 10
    while len(signer.keys()) == 1 and time.monotonic() < deadline:
        time.sleep(0.1)  # the pool looks at its rows again after a second
    assert names_of(signer.keys()) == [first.name, "2"]
    clock.advance(86_400 - 30)
    assert signer.keys()[0].name == first.name
    clock.advance(30)
    assert names_of(signer.keys()) == ["2", first.name]
    assert signer.sign("2", b"message")
    with pytest.raises(Conflict):
        signer.sign("999", b"message")


def test_tokens_are_signed_by_sm2_in_the_profile_gm_alone(house: House) -> None:
    assert sm2_token_signer(house.kms, house.parts.clock, "intl") is None
    signer = sm2_token_signer(house.kms, house.parts.clock, "gm")
    assert signer is not None
    (key,) = signer.keys()
    public = signatures.public_key("sm2", key.public_der)
    public.verify(signer.sign(key.name, b"token"), b"token", SignatureOptions("sm3"))
    assert signer.renew(before=0) is False
    # its keys are its own: the other signer's stay what they were
    other = PoolTokenSigner(house.kms, house.parts.clock).keys()
    assert key.public_der not in {each.public_der for each in other}


def test_a_report_is_signed_by_two_algorithms(house: House) -> None:
    made = PoolReportSigner(house.kms).sign_report(b"report")
    assert [one.algorithm for one in made] == ["sm2-sm3", "ecdsa-p256-sha256"]
    kinds = {"sm2-sm3": "sm2", "ecdsa-p256-sha256": "ecdsa-p256"}
    for one in made:
        public = signatures.public_key(kinds[one.algorithm], one.public_key)
        public.verify(one.signature, b"report", DEFAULT)
        with pytest.raises(InvalidSignature):
            public.verify(one.signature, b"another", DEFAULT)


def test_versions_of_two_checkpoint_keys_are_paired_newest_first() -> None:
    edwards = [SystemPublicKey(v, b"x" + str(v).encode() * 32, "ed25519") for v in (1, 2)]
    sm2 = [SystemPublicKey(1, b"x" + b"\x04" * 65, "sm2")]
    paired = _paired(edwards, sm2)
    assert [pair.ed25519 for pair in paired] == [b"2" * 32, b"1" * 32]
    assert {pair.sm2 for pair in paired} == {b"\x04" * 65}


def test_a_locked_pool_signs_no_checkpoint(tmp_path: Path) -> None:
    make_demo_home(tmp_path / "home")
    (tmp_path / "home" / "unlock.key").unlink()
    opened = open_house(tmp_path / "home")
    try:
        signer = PoolCheckpointSigner(opened.kms)
        with pytest.raises(SignerLocked):
            signer.keys()
        for sign in (signer.sign_ed25519, signer.sign_sm2):
            with pytest.raises(SignerLocked):
                sign(b"checkpoint")
        taken = evidence_of(opened)(opened.act_as("auditor"), own_scope(), opened.parts.clock.now())
        assert "kms.custody" not in {snapshot.kind for snapshot in taken}
    finally:
        opened.close()


# own acts for detectors


def test_the_ledgers_records_are_events_from_the_first_on(house: House) -> None:
    acts = LedgerActs()
    assert acts.records_from(0, 10) == ()
    acts.bind(house.audits)
    house.audits.ledger.sequencer.drain()
    first = acts.records_from(0, 3)
    assert len(first) == 3
    assert list(acts.records_from(1, 2)) == list(first[1:])


# notices


def test_notices_go_to_the_inbox_or_to_the_one_webhook(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path)
    assert options(plain).channels == {}
    hooked = replace(plain, webhook_url="https://hook.example/x", webhook_secret="s")
    made = options(hooked)
    assert (made.default_channel, made.channels["webhook"].kind) == ("webhook", "generic")
    with pytest.raises(SettingsRejected, match="pigeon"):
        options(replace(hooked, webhook_kind="pigeon"))
    assert outbound(replace(plain, webhook_allow="hook.inner, ")) is not None


def test_the_settings_say_what_the_unit_is_called_and_which_clocks_count(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path)
    named = replace(
        plain, unit_name="某市数据局", operator_kind="state", webhook_url="https://h.cn"
    )
    assert [(made.unit_name, made.operator_kind) for made in map(options, (plain, named))] == [
        ("本单位", "local"),
        ("某市数据局", "state"),
    ]


def test_drift_found_by_the_product_itself_is_an_alert_until_it_is_mended(house: House) -> None:
    key = (ROOT_ORG, THIS_INSTANCE, "gbt22239", 3)
    audits, auditor = house.audits, house.act_as("auditor")
    made = audits.assessments.assess(auditor, "gbt22239", 3)
    assert audits.rounds.go_round(key) == 0  # it sees what an auditor sees
    good = next(v.item.id for v in made.verdicts if v.status == "compliant")
    kinds = {snapshot.kind for v in made.verdicts if v.item.id == good for snapshot in v.evidence}
    inquiry, looks = audits.rounds.inquiry, audits.rounds.inquiry.sources

    def blinded(*asked: Any) -> list[Any]:
        seen = (snapshot for look in looks for snapshot in look(*asked))
        return [snapshot for snapshot in seen if snapshot.kind not in kinds]

    def alerts() -> list[str]:
        subscriptions = [one for plane in house.planes for one in plane.subscriptions]
        deliver = house.spine.outbox(subscriptions).job.tick
        while deliver():
            pass
        page = house.detectors.alerts.list_alerts(auditor, AlertFilter(), PageRequest(200))
        return [a.status for a in page.items if a.kind == "control" and good in a.title]

    object.__setattr__(inquiry, "sources", (blinded,))
    try:
        assert audits.rounds.go_round(key) >= 1
    finally:
        object.__setattr__(inquiry, "sources", looks)
    assert alerts() == ["open"]
    assert audits.rounds.go_round(key) >= 1
    assert alerts() == ["closed"]
