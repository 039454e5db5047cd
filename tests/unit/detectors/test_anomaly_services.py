"""Models from history to alert: trained, signed, refused when altered, never poisoned."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from detectors.errors import HistoryTooShort, ModelNotFound, ModelRejected
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.anomalies import LOGIN_MODEL, USE_MODEL, LoginFacts
from detectors.service.anomaly.anomalies import FIRST_USE_RULE, LOGIN_RULE, MODEL_RULE, VOLUME_RULE
from detectors.service.anomaly.login_history import MAX_HISTORY, own_events, read_logins
from detectors.service.anomaly.model_vault import GRACE_DAYS
from secops.bridges.doctor import examine
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.clock import DAY, HOUR, MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogEvent, Window
from secops.kernel.pages import PageRequest
from secops.kernel.trail import Act
from tests.fakes.anomaly_house import (
    PLAN,
    AnomalyHouse,
    Trained,
    anomaly_house,
    attempts,
    trained_house,
)
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN, person

SYSTEM = system_actor("detectors")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[AnomalyHouse]:
    with anomaly_house(tmp_path / "home") as house:
        yield house


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained_house(tmp_path_factory.mktemp("trained") / "home")


@pytest.fixture
def house(trained: Trained, tmp_path: Path) -> Iterator[AnomalyHouse]:
    with trained.copy(tmp_path / "home") as copied:
        yield copied


def foreign(house: AnomalyHouse, account: str = "acc_00001", **changes: object) -> LoginFacts:
    """A sign-in as a stuffing bot makes it."""
    last = next(a.facts for a in attempts() if a.facts.account == account)
    facts = replace(
        last,
        at=house.clock.now(),
        address="85.9.9.9",
        user_agent="python-requests/2",
        device="",
        failures=2,
        last_at=house.clock.now() - 30 * MINUTE,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def usual(house: AnomalyHouse) -> LoginFacts:
    """What an owner did last, once more, a week later."""
    office = [
        a.facts
        for a in attempts()
        if not a.attacker and a.facts.address.startswith("2") and a.facts.device
    ]
    last = [facts for facts in office if facts.at < PLAN.split_at][-1]
    later = last.at + 7 * DAY
    house.clock.instant = max(later, house.clock.instant)
    return replace(last, at=later, last_at=later - DAY, last_address=last.address, failures=0)


def alerts(house: AnomalyHouse) -> list[Alert]:
    store = house.training.alerts
    return list(
        house.parts.transactions.read(
            lambda tx: store.page(tx, ROOT_ORG, AlertFilter(), PageRequest(50))
        )
    )


def flip(house: AnomalyHouse, kind: str = LOGIN_MODEL) -> None:
    """Change one byte of a model's file."""
    record = house.training.vault.active(kind)
    assert record is not None
    (file,) = house.parts.home.rglob(record.digest[2:])
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


# judging


def test_an_owner_goes_on_and_a_stranger_is_stepped_up(house: AnomalyHouse) -> None:
    risk = house.risk()
    assert risk.assess(usual(house)).answer == "allow"
    found = risk.assess(foreign(house))
    assert (found.answer, found.alert) == ("step_up", True)
    assert found.risk > 0.999
    names = [weight.feature for weight in found.weights[:4]]
    assert {"agent", "source"} <= set(names)


def test_nothing_that_is_kept_names_address_browser_or_person(house: AnomalyHouse) -> None:
    found = house.risk().assess(foreign(house))
    kept = " ".join(found.features.values())
    assert "85.9.9.9" not in kept
    assert "python" not in kept
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    content = house.training.vault.open(record)
    assert b"acc_00001" not in content
    assert b"acc_00001" not in str(record.card).encode()


def test_other_keys_make_other_pseudonyms(house: AnomalyHouse) -> None:
    mine = house.risk().assess(foreign(house)).features["source"]
    house.keys.digest = lambda data: b"other" * 6 + data[:2]  # type: ignore[method-assign]
    assert house.risk().assess(foreign(house)).features["source"] != mine


def test_without_a_model_nobody_is_stopped_and_features_are_kept(empty: AnomalyHouse) -> None:
    facts = LoginFacts("acc_1", "p", 1, "203.0.113.1", "x")
    found = empty.risk().assess(facts)
    assert (found.answer, found.note) == ("unjudged", "there is no model yet")
    assert found.features["failures"] == "0"
    assert empty.risk().warm() == "there is no model yet"


def test_doctor_names_a_model_whose_file_was_changed(house: AnomalyHouse) -> None:
    def said() -> str:
        (finding,) = (one for one in examine(house.parts.home) if one.name == "models")
        return f"{finding.state}: {finding.seen}"

    assert said() == "ok: 1 in use, files as they were made"
    flip(house)
    assert said().startswith("fault: the file of login model mdl_")


def test_the_file_of_a_replaced_model_goes_after_a_month(house: AnomalyHouse) -> None:
    vault = house.training.vault
    first = vault.active(LOGIN_MODEL)
    assert first is not None
    house.clock.instant += DAY
    second = vault.keep(SYSTEM, LOGIN_MODEL, b"another model", {})
    house.clock.instant += GRACE_DAYS * DAY
    vault.forget_retired()
    assert vault.open(first), "it was replaced just a month ago"
    house.clock.instant += 1
    vault.forget_retired()
    vault.forget_retired()
    with pytest.raises(ModelRejected, match="gone"):
        vault.open(first)
    assert vault.open(second), "the model in use stays, however old it is"
    shown = house.models.show_model(SECURITY_ADMIN, first.id)
    assert (shown.state, shown.card) == ("retired", first.card)


def test_a_file_that_the_model_in_use_has_too_stays(house: AnomalyHouse) -> None:
    again = house.training.train(SYSTEM, LOGIN_MODEL)
    house.clock.instant += 2 * GRACE_DAYS * DAY
    house.training.vault.forget_retired()
    first, *_ = [each for each in house.training.vault._records() if each.state == "retired"]
    assert first.digest == again.digest, "the same history gives the same model"
    assert house.training.vault.open(again)


def test_a_changed_byte_is_refused_and_sign_in_goes_on(house: AnomalyHouse) -> None:
    flip(house)
    found = house.risk().assess(foreign(house))
    assert found.answer == "unjudged"
    assert found.note.startswith("detectors.model_rejected")
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    with pytest.raises(ModelRejected, match="changed"):
        house.training.vault.open(record)


def test_a_foreign_models_bytes_under_our_record_are_refused(house: AnomalyHouse) -> None:
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    other = house.parts.blobs.put(b"a model of somebody else")
    with pytest.raises(ModelRejected, match="signature"):
        house.training.vault.open(replace(record, digest=other))


def test_a_changed_card_is_refused_too(house: AnomalyHouse) -> None:
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    bent = replace(record, card={**record.card, "events": 1})
    with pytest.raises(ModelRejected, match="signature"):
        house.training.vault.open(bent)


def test_an_older_models_record_under_another_time_is_refused(house: AnomalyHouse) -> None:
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    with pytest.raises(ModelRejected):
        house.training.vault.open(replace(record, made_at=record.made_at + 1))


def test_a_refused_model_is_looked_at_again_later(house: AnomalyHouse) -> None:
    risk = house.risk()
    house.signer.locked = True
    assert risk.assess(foreign(house)).answer == "unjudged"
    house.signer.locked = False
    house.clock.advance(16)
    assert risk.assess(foreign(house)).answer == "unjudged"
    house.clock.advance(70)
    assert risk.assess(foreign(house)).answer == "step_up"


def test_a_closed_pool_leaves_sign_ins_unjudged(house: AnomalyHouse) -> None:
    house.keys.closed = True
    found = house.risk().assess(foreign(house))
    assert (found.answer, found.features) == ("unjudged", {})


def test_a_hostile_user_agent_does_not_switch_judging_off(house: AnomalyHouse) -> None:
    for agent in ("\udcff\x00/" * 50, "a" * 100_000, "/////", "é" * 10):
        assert house.risk().assess(foreign(house, user_agent=agent)).answer == "step_up"


def test_a_bad_table_of_networks_is_left_out(house: AnomalyHouse) -> None:
    (house.parts.home / "networks.csv").write_text("nonsense")
    found = house.risk().assess(foreign(house))
    assert found.features["source"].startswith("?/?/")
    (house.parts.home / "networks.csv").unlink()
    assert house.risk().warm() == ""


def test_judging_and_training_apart_no_worker_imports_scikit_learn() -> None:
    code = (
        "import sys; import detectors.plane, detectors.service.anomaly.login_risk; "
        "sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# learning


def test_an_attacker_who_comes_again_and_again_does_not_become_usual(house: AnomalyHouse) -> None:
    first = house.risk().assess(foreign(house))
    for day in range(30):
        facts = foreign(house, at=house.clock.now() + day * HOUR)
        house.sign_in(facts, "passed", alert=first.alert)
    house.clock.advance(10 * 86_400)
    house.training.train(SYSTEM, LOGIN_MODEL)
    assert house.risk().assess(foreign(house)).answer == "step_up"


def test_without_that_guard_the_attacker_would_become_usual(house: AnomalyHouse) -> None:
    """The control: the same sign-ins, judged good by a careless analyst."""
    before = house.risk().assess(foreign(house)).risk
    for day in range(30):
        facts = foreign(house, at=house.clock.now() + day * HOUR)
        session = house.sign_in(facts, "passed", alert=True)
        house.models.judge_login(ANALYST, session, "good", "looked fine")
    house.clock.advance(10 * 86_400)
    house.training.train(SYSTEM, LOGIN_MODEL)
    again = house.risk().assess(foreign(house))
    assert again.risk < before
    assert not again.alert


def test_what_somebody_judged_bad_is_left_out_of_the_card_and_the_counts(
    house: AnomalyHouse,
) -> None:
    session = house.sign_in(usual(house))
    house.models.judge_login(ANALYST, session, "bad", "the owner was on leave")
    house.clock.advance(4 * 86_400)
    record = house.training.train(SYSTEM, LOGIN_MODEL)
    assert record.card["left_out"] == 1


def test_a_sign_in_waits_three_days(house: AnomalyHouse) -> None:
    house.sign_in(usual(house))
    house.clock.advance(60)
    assert house.training.train(SYSTEM, LOGIN_MODEL).card["left_out"] == 1
    house.clock.advance(4 * 86_400)
    assert house.training.train(SYSTEM, LOGIN_MODEL).card["left_out"] == 0


def test_a_step_up_that_was_not_met_is_not_history(house: AnomalyHouse) -> None:
    before = len(read_logins(house.logs, Window()))
    house.sign_in(foreign(house), "step_up", alert=True)
    assert len(read_logins(house.logs, Window())) == before


def test_an_event_from_another_source_is_no_history(house: AnomalyHouse) -> None:
    (event,) = list(own_events(house.logs, ("iam.assess_sign_in",), Window()))[:1]
    before = len(read_logins(house.logs, Window()))
    forged = LogEvent("f" * 64, "evil", event.event.at, 1, event.event.fields, event.event.raw)
    house.logs.append([forged])
    assert len(read_logins(house.logs, Window())) == before < MAX_HISTORY


def test_too_little_history_trains_nothing(empty: AnomalyHouse) -> None:
    with pytest.raises(HistoryTooShort):
        empty.training.train(SYSTEM, LOGIN_MODEL)
    with pytest.raises(HistoryTooShort):
        empty.training.train(SYSTEM, USE_MODEL)
    assert empty.training.tick() is False
    assert empty.training.vault.active(LOGIN_MODEL) is None


def test_the_scheduler_trains_anew_after_a_day_and_notes_the_drift(house: AnomalyHouse) -> None:
    first = house.training.vault.active(LOGIN_MODEL)
    assert first is not None
    house.training.tick()
    assert house.training.vault.active(LOGIN_MODEL) == first
    house.clock.instant = PLAN.split_at + 2 * DAY
    drift = house.training.check_drift(first)
    assert drift["logins"] >= 50
    assert set(drift["psi"]) == set(first.card["columns"])
    house.clock.instant = PLAN.split_at + 5 * DAY
    house.training.tick()
    second = house.training.vault.active(LOGIN_MODEL)
    assert second is not None
    assert second.id != first.id
    kept = house.models.show_model(ANALYST, first.id)
    assert (kept.state, kept.drift["logins"] > 0) == ("retired", True)


def test_the_scheduler_trains_what_somebody_asked_for_once(house: AnomalyHouse) -> None:
    first = house.training.vault.active(LOGIN_MODEL)
    house.clock.advance(60)
    house.models.ask_training(SECURITY_ADMIN, LOGIN_MODEL)
    house.clock.advance(60)
    house.training.tick()
    second = house.training.vault.active(LOGIN_MODEL)
    house.training.tick()
    assert first != second == house.training.vault.active(LOGIN_MODEL)
    with pytest.raises(ModelNotFound):
        house.models.ask_training(SECURITY_ADMIN, "weather")


def test_what_could_not_be_trained_waits_an_hour_or_for_somebody_to_ask(
    empty: AnomalyHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "secops.models")
    for _ in range(5):
        empty.training.tick()
        empty.clock.advance(60)
    assert len(caplog.records) == 2  # one a kind
    empty.models.ask_training(SECURITY_ADMIN, LOGIN_MODEL)
    empty.clock.advance(60)
    empty.training.tick()
    assert len(caplog.records) == 3


def test_a_locked_pool_trains_later(house: AnomalyHouse) -> None:
    house.signer.locked = True
    house.clock.advance(2 * 86_400)
    first = house.training.vault.active(LOGIN_MODEL)
    assert house.training.tick() is False
    assert house.training.vault.active(LOGIN_MODEL) == first


def test_the_drift_of_an_altered_model_is_not_told(house: AnomalyHouse) -> None:
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    flip(house)
    assert house.training.check_drift(record) == {}


# alerts


def test_a_risky_sign_in_becomes_one_alert_with_its_reasons(house: AnomalyHouse) -> None:
    why = ["source.country:4120:0", "agent.browser:2000:1", "odd", "x:y:z"]
    session = house.sign_in(foreign(house), "passed", alert=True, risk=999_900, model="m", why=why)
    house.sign_in(usual(house), risk=10, model="m")
    watch = house.watch
    assert watch.tick() is False
    assert watch.tick() is False
    (alert,) = alerts(house)
    assert (alert.kind, alert.rule_id, alert.severity) == ("anomaly", LOGIN_RULE, "medium")
    assert alert.subjects == {"user.id": "acc_00001", "session.id": session}
    assert [reason.condition for reason in alert.reasons] == [
        "risk",
        "source.country",
        "agent.browser",
    ]
    assert alert.reasons[0].seen == "99.99%"
    assert alert.reasons[1].seen == "e^4.1 times likelier"


def test_a_stepped_up_stranger_is_alerted_without_a_session(house: AnomalyHouse) -> None:
    house.store(
        [
            (
                house.clock.now(),
                Act(
                    "iam.assess_sign_in",
                    Actor("account", "acc_1", ROOT_ORG, "a"),
                    "account:acc_1",
                    "refused",
                    {"answer": "step_up", "alert": True, "risk": 999_999, "why": "pace.pace:1:0"},
                ),
            )
        ]
    )
    house.watch.tick()
    (alert,) = alerts(house)
    assert alert.subjects == {"user.id": "acc_1"}
    assert alert.reasons[1].condition == "pace.pace"


def sign(at: int, target: str = "key:1", account: str = "acc_int") -> tuple[int, Act]:
    return at, Act("kms.sign", Actor("account", account, ROOT_ORG, account), target)


def uses(house: AnomalyHouse) -> int:
    """Two months of five signatures each workday; return the Monday after."""
    monday = PLAN.split_at // DAY * DAY - 63 * DAY
    monday -= (monday // DAY + 3) % 7 * DAY
    house.store(
        sign(monday + day * DAY + 2 * HOUR + number * MINUTE)
        for day in range(56)
        if day % 7 < 5
        for number in range(5)
    )
    later = monday + 63 * DAY
    house.clock.instant = later + DAY
    house.training.train(SYSTEM, USE_MODEL)
    house.watch.tick()
    return later


def test_a_burst_of_key_use_is_one_alert_however_it_arrives(empty: AnomalyHouse) -> None:
    later = uses(empty)
    watch = empty.watch
    empty.store(sign(later + 15 * HOUR + number * 1_000_000) for number in range(15))
    watch.tick()
    assert not alerts(empty)
    empty.store(sign(later + 15 * HOUR + number * 1_000_000) for number in range(15, 30))
    watch.tick()
    watch.tick()
    (alert,) = alerts(empty)
    assert (alert.rule_id, alert.event_count) == (VOLUME_RULE, 30)
    assert alert.subjects == {"user.id": "acc_int"}


def test_a_first_use_of_a_key_is_named(empty: AnomalyHouse) -> None:
    later = uses(empty)
    empty.store([sign(later, "key:9"), sign(later, "key:1"), sign(later + 1, "key:9")])
    empty.watch.tick()
    (alert,) = alerts(empty)
    assert (alert.rule_id, alert.group) == (FIRST_USE_RULE, ("acc_int", "key:9"))
    assert alert.severity == "low"


def test_what_was_refused_is_no_use(empty: AnomalyHouse) -> None:
    later = uses(empty)
    at, act = sign(later, "key:9")
    empty.store([(at, replace(act, outcome="refused"))])
    empty.watch.tick()
    assert not alerts(empty)


def test_an_altered_model_is_a_health_alert_once(house: AnomalyHouse) -> None:
    flip(house)
    watch = house.watch
    watch.tick()
    watch.tick()
    house.watch.tick()
    (alert,) = alerts(house)
    assert (alert.kind, alert.rule_id, alert.severity) == ("health", MODEL_RULE, "high")


def test_an_altered_profile_of_uses_alerts_nothing_but_itself(empty: AnomalyHouse) -> None:
    later = uses(empty)
    flip(empty, USE_MODEL)
    empty.store([sign(later, "key:9")])
    empty.watch.tick()
    (alert,) = alerts(empty)
    assert alert.rule_id == MODEL_RULE


def test_a_locked_pool_is_no_altered_model(house: AnomalyHouse) -> None:
    house.signer.locked = True
    house.watch.tick()
    assert not alerts(house)


def test_two_watchers_at_once_add_nothing_twice(house: AnomalyHouse) -> None:
    house.sign_in(foreign(house), "passed", alert=True, risk=999_900, model="m", why=[])
    store, first = house.training.vault.store, house.logs.last_seq()
    run = house.parts.transactions.run
    assert run(lambda tx: store.advance(tx, "other", 1, first)) is True
    assert run(lambda tx: store.advance(tx, "other", 1, first)) is False
    house.watch.tick()
    house.watch.tick()
    assert len(alerts(house)) == 1


# use cases


def test_who_may_see_train_and_judge(house: AnomalyHouse) -> None:
    models, auditor = house.models, person("auditor")
    record = house.training.vault.active(LOGIN_MODEL)
    assert record is not None
    assert models.list_models(auditor, PageRequest()).items[0].id == record.id
    with pytest.raises(ModelNotFound):
        models.show_model(ANALYST, "mdl_none")
    with pytest.raises(ModelNotFound):
        models.train_model(SECURITY_ADMIN, "weather")
    assert models.train_model(SECURITY_ADMIN, LOGIN_MODEL).state == "active"


def test_a_judgement_needs_a_reason_and_a_verdict(house: AnomalyHouse) -> None:
    judge = house.models.judge_login
    for session, verdict, reason in (
        ("s", "good", " "),
        ("", "good", "x"),
        ("s", "good", "x" * 2_000),
        ("s", "ugly", "x"),
    ):
        with pytest.raises(Invalid):
            judge(ANALYST, session, verdict, reason)  # type: ignore[arg-type]
    judge(ANALYST, "s", "good", "x")
    assert judge(ANALYST, "s", "bad", "y").verdict == "bad"
    said = house.parts.transactions.read(
        lambda tx: house.training.vault.store.judgements(tx, ROOT_ORG)
    )
    assert [(each.session_id, each.verdict) for each in said] == [("s", "bad")]


def test_the_analyst_sees_what_was_stepped_up(house: AnomalyHouse) -> None:
    house.sign_in(foreign(house), "step_up", alert=True)
    house.sign_in(foreign(house), "passed", alert=False)
    house.sign_in(usual(house))
    assert len(house.models.list_logins(ANALYST)) == 2
    assert len(house.models.list_logins(ANALYST, all_of_them=True)) > 2


def test_each_training_and_judgement_is_an_act(house: AnomalyHouse) -> None:
    house.models.judge_login(ANALYST, "ses_1", "good", "asked the owner")
    with house.spine.read_engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT record FROM ledger_door ORDER BY id")).all()
    actions = b"".join(bytes(row.record) for row in rows)
    assert b"detectors.train_model" in actions
    assert b"detectors.judge_login" in actions
