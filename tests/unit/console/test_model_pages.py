"""The pages of anomaly models and of unusual sign-ins."""

from __future__ import annotations

from detectors.core.events.identity import event_id
from detectors.core.formats.ledger import SOURCE, parse_act
from detectors.models.anomalies import LOGIN_MODEL
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.logs import LogEvent
from secops.kernel.trail import Act, encode_act
from tests.fakes.console_site import ConsoleSite

CARD = {"kind": "login", "events": 4_711, "features": ["source", "hour"], "figures": {"trees": 300}}
DETAILS = {
    "answer": "passed",
    "alert": True,
    "risk": 998_765,
    "model": "mdl_x",
    "why": ["source.country:4120:0", "<script>:1:0"],
}


def store_login(console: ConsoleSite) -> None:
    house = console.site.house
    now = house.parts.clock.now()
    person = Actor("account", "acc_<b>", ROOT_ORG, "x")
    record = encode_act(Act("iam.assess_sign_in", person, "session:ses_odd", "done", DETAILS), now)
    parsed = parse_act(record)
    assert parsed is not None
    identity = event_id(SOURCE, record, 1)
    logs = house.detectors.models.training.logs
    logs.append([LogEvent(identity, SOURCE, now, now, parsed.fields, record)])
    jobs = {job.name: job for plane in house.planes for job in plane.jobs}
    jobs["detectors.store_logs"].tick()


def test_a_model_is_listed_and_its_card_is_a_page(console: ConsoleSite) -> None:
    vault = console.site.house.detectors.models.training.vault
    record = vault.keep(system_actor("detectors"), LOGIN_MODEL, b"content", CARD)
    reader = console.reader("analyst")
    assert f"/models/{record.id}" in reader.get("/models").text
    page = reader.get(f"/models/{record.id}").text
    assert "4711" in page
    assert "source, hour" in page
    assert "尚未检查" in page
    drift = {"psi": {"hour": 0.31, "idle.idle": 0.01}, "moved": ["hour"]}
    house = console.site.house
    house.parts.transactions.run(lambda tx: vault.store.set_drift(tx, record.id, drift))
    moved = reader.get(f"/models/{record.id}").text
    assert "severity-medium" in moved
    assert "0.31" in moved
    assert reader.get("/models/mdl_none").status == 404


def test_only_who_may_train_sees_the_form_and_asks_the_scheduler(console: ConsoleSite) -> None:
    assert "/models/train" not in console.reader("analyst").get("/models").text
    keeper = console.reader("security-admin")
    assert "/models/train" in keeper.get("/models").text
    assert keeper.post("/models/train", {"kind": "login"}).status == 303
    assert keeper.post("/models/train", {"kind": "weather"}).status == 404
    assert console.reader("analyst").post("/models/train", {"kind": "login"}).status == 403


def test_an_unusual_sign_in_stands_with_its_reasons_and_hostile_text_stays_text(
    console: ConsoleSite,
) -> None:
    store_login(console)
    reader = console.reader("analyst")
    page = reader.get("/logins").text
    assert "source.country e^4.1" in page
    assert "99.8765%" in page
    assert "ses_odd" in page
    assert "<script>" not in page.partition("</head>")[2].replace("<script src", "")
    assert "acc_&lt;b&gt;" in page
    judged = reader.post(
        "/logins/judge", {"session": "ses_odd", "verdict": "bad", "reason": "on leave"}
    )
    assert judged.status == 303
    empty = reader.post("/logins/judge", {"session": "ses_odd", "verdict": "bad", "reason": ""})
    assert empty.status == 400
    assert "/logins/judge" not in console.reader("auditor").get("/logins").text
