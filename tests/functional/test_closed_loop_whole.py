"""The closed loop with the real parts: from guessed codes to a refused signature, and back.

A gateway and a scheduler over one home. The wire is faked, and the jobs are called by name
instead of by the clock; everything else is what a home runs.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from detectors.models.alerts import Alert, AlertFilter
from iam.errors import SignInRefused
from iam.models.clients import NewClient
from iam.models.sessions import FactorAttempt, PasswordAttempt
from playbooks.service import NewIncident
from secops.bridges.house import House
from secops.cli.bench.closed_loop import wait_until
from secops.kernel.clock import SECOND
from secops.kernel.pages import PageRequest
from tests.fakes.back_channels import BackChannels
from tests.fakes.cacao import END, LOCK, NOTIFY, REVOKE, START, action, playbook
from tests.fakes.demo_site import (
    CALLBACK,
    ORIGIN,
    OWNER,
    ROOT_ORG,
    Answer,
    DemoSite,
    read_application,
)
from tests.fakes.loop_site import LoopSite
from tests.fakes.second_account import join_person

ACCOUNT = "seal-holder"
KEY = "demo-p256"
ATTACKER = "203.0.113.66"
PORTAL = "https://portal.example/bc"
DIGEST = base64.b64encode(bytes(32)).decode()
RUNS = "/api/v1/playbooks/runs"


@dataclass
class Town:
    """One home, as a gateway and a scheduler see it, and the applications beside it."""

    site: DemoSite
    scheduler: House
    partners: BackChannels
    portal: str
    devices: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    def sign_in(self, account: str) -> tuple[str, str]:
        """Sign in with both factors; return an API token and the session's cookie.

        Each time with the next code: one is taken once, and the neighbours are taken, too.
        """
        iam, login = self.site.house.iam, self.site.logins[account]
        step = self.steps[account] = self.steps.get(account, -2) + 1
        now = self.site.house.parts.clock.now()
        device = self.devices.get(account, "")
        attempt = PasswordAttempt(account, login.password, "127.0.0.1", device)
        code = login.code(now + step * 30 * SECOND)
        opened = iam.sign_in.finish(
            FactorAttempt(iam.sign_in.begin(attempt), code, "127.0.0.1", device=device)
        )
        self.devices[account] = opened.device
        application = read_application(self.site.house.settings.home)
        return self.site.exchange(opened.cookie, *application), opened.cookie

    def guess(self, times: int) -> None:
        """Try codes for the account; half of it in the owner's browser, as a stolen one."""
        iam, login = self.site.house.iam, self.site.logins[ACCOUNT]
        for number in range(times):
            device = self.devices[ACCOUNT] if number % 2 else ""
            attempt = PasswordAttempt(ACCOUNT, login.password, ATTACKER, device)
            reference = iam.sign_in.begin(attempt)
            with pytest.raises(SignInRefused):
                iam.sign_in.finish(FactorAttempt(reference, "000000", ATTACKER, device=device))

    def work(self) -> None:
        """Let the scheduler do what is due, until nothing is."""
        house = self.scheduler
        house.audits.ledger.sequencer.drain()
        subscriptions = list(chain.from_iterable(plane.subscriptions for plane in house.planes))
        jobs = {job.name: job.tick for plane in house.planes for job in plane.jobs}
        names = ("detectors.watch_ledger", "detectors.store_logs", "detectors.run")
        outbox = house.spine.outbox(subscriptions).job.tick
        later = (outbox, jobs["playbooks.runs"], outbox, jobs["iam.logouts"])
        for tick in (*(jobs[name] for name in names), *later):
            while tick():
                pass

    def alerts(self, rule: str) -> list[Alert]:
        found = self.scheduler.detectors.alerts.list_alerts(
            self.scheduler.act_as("analyst"), AlertFilter(), PageRequest(limit=200)
        )
        account = self.site.house.act_as(ACCOUNT).id
        mine = [alert for alert in found.items if alert.subjects.get("user.id") == account]
        return [alert for alert in mine if alert.rule_id in rule_ids(rule)]

    def post(self, path: str, token: str, **body: Any) -> Answer:
        return self.site.call("POST", path, token=token, body=orjson.dumps(body))

    def sign_with_key(self, token: str) -> Answer:
        return self.post(f"/v1/transit/sign/{KEY}", token, input=DIGEST)

    @property
    def seal(self) -> str:
        """The id of the demo's seal."""
        security = self.scheduler.act_as("security-admin")
        return self.scheduler.kms.seal_registry.list_seals(security, PageRequest()).items[0].id

    def use_seal(self, token: str) -> Answer:
        path = f"/api/v1/kms/seals/{self.seal}/use"
        return self.post(path, token, document_sm3="00" * 32, purpose="印发通知")


def rule_ids(name: str) -> set[str]:
    text = Path(f"rules/sigma/platform/{name}.yml").read_text()
    return {line.split()[1] for line in text.splitlines() if line.startswith("id:")} | {name}


@pytest.fixture(scope="module")
def town(loop_site: LoopSite) -> Town:
    site = loop_site.site
    portal = NewClient(
        "portal",
        "Portal",
        redirect_uris=(CALLBACK,),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid", "api"}),
        back_channel_uri=PORTAL,
    )
    issued = site.house.iam.clients.make(OWNER, portal, ROOT_ORG)
    return Town(site, loop_site.scheduler, loop_site.partners, issued.secret or "")


def contain(key: str, seal: str) -> dict[str, Any]:
    """End the sessions, suspend key and seal; give both back if a later step fails."""
    document = playbook()
    document["workflow"] = {
        START: {"type": "start", "on_completion": REVOKE},
        REVOKE: action("session.revoke", {"account": "__account__:value"}, LOCK),
        LOCK: action("key.suspend", {"key": key}, NOTIFY),
        NOTIFY: action("seal.suspend", {"seal": seal}, END),
        END: {"type": "end"},
    }
    return document


def lift(key: str, seal: str) -> dict[str, Any]:
    document = playbook()
    document["id"] = document["id"].replace("7777", "8888")
    document["name"] = "Give back"
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOCK},
        LOCK: action("key.resume", {"key": key}, NOTIFY),
        NOTIFY: action("seal.resume", {"seal": seal}, END),
        END: {"type": "end"},
    }
    return document


def code_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json().get("code", "")


def approved_run(town: Town, incident_id: str, document: dict[str, Any], token: str) -> Answer:
    """Have a playbook signed by two persons and ask for its run; return the run."""
    analyst, security = (town.scheduler.act_as(name) for name in ("analyst", "security-admin"))
    register = town.scheduler.playbooks.playbooks
    entry = register.import_playbook(analyst, json.dumps(document).encode()).entry
    register.approve_playbook(security, entry.content_hash, reason="演练")
    asked = town.post(RUNS, token, incident_id=incident_id, playbook=entry.content_hash)
    assert asked.status == 201, asked.body
    return asked


def decide(town: Town, run: Answer, token: str, sha256: str = "") -> Answer:
    asked = run.json()
    path = f"{RUNS}/{asked['id']}/decision"
    plan = sha256 or asked["plan_sha256"]
    return town.post(path, token, grant=True, plan_sha256=plan, reason="同意")


def read_notice(town: Town, token: str) -> dict[str, Any]:
    """Verify a logout token as an application does, with the published keys."""
    published = town.site.call("GET", "/oauth2/jwks").json()["keys"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWK(next(each for each in published if each["kid"] == kid))
    claims: dict[str, Any] = jwt.decode(
        token, key.key, algorithms=["ES256"], audience="portal", issuer=ORIGIN
    )
    return claims


def test_from_guessed_codes_to_a_refused_signature_and_back(town: Town) -> None:
    site, house = town.site, town.site.house
    worker = site.token("integrator")
    token, cookie = town.sign_in(ACCOUNT)
    site.exchange(cookie, "portal", town.portal)
    assert town.use_seal(token).status == 201
    assert town.sign_with_key(worker).status == 200

    # guessed codes, then a right one: the rule over our own ledger's records says so
    town.guess(5)
    stolen, cookie = town.sign_in(ACCOUNT)
    site.exchange(cookie, "portal", town.portal)
    town.work()
    (first,) = town.alerts("platform_sign_in_guessing")
    assert first.severity == "high"
    wait_until(house, lambda: town.use_seal(stolen).status == 401)
    assert code_of(town.use_seal(token)) == (401, "kernel.step_up_required")
    assert town.sign_with_key(worker).status == 200

    # a second signal
    for _ in range(5):
        assert site.call("GET", "/api/v1/iam/accounts", token=stolen).status == 403
    town.work()
    (second,) = town.alerts("platform_forbidden_tried")

    incident_id = opened(town, first, second)
    analyst, _ = town.sign_in("analyst")
    run = approved_run(town, incident_id, contain(KEY, town.seal), analyst)
    refused_deciders(town, run, analyst)
    security, _ = town.sign_in("security-admin")
    assert code_of(decide(town, run, security, "0" * 64)) == (409, "playbooks.plan_changed")
    assert decide(town, run, security).status == 200
    town.work()

    # sessions are over, applications know, nothing signs
    notices = [read_notice(town, told) for url, told in town.partners.told if url == PORTAL]
    assert len({notice["sid"] for notice in notices}) == 2
    wait_until(house, lambda: town.sign_with_key(worker).status == 403)
    # the key's table may be read before the news of the account
    path, old = "/api/v1/iam/me", (token, stolen)
    wait_until(house, lambda: {site.call("GET", path, token=one).status for one in old} == {401})
    told = town.sign_with_key(worker).json()["errors"]
    assert told == [f"kms.key_suspended: the key {KEY} is suspended"]
    anew, _ = town.sign_in(ACCOUNT)
    seal_answer = town.use_seal(anew)
    assert code_of(seal_answer) == (403, "kms.seal_not_usable")
    assert run.json()["id"] in seal_answer.json()["detail"]

    # given back after another person's approval, and not before
    back = approved_run(town, incident_id, lift(KEY, town.seal), analyst)
    town.work()
    assert town.sign_with_key(worker).status == 403
    assert decide(town, back, security).status == 200
    town.work()
    wait_until(house, lambda: town.sign_with_key(worker).status == 200)
    # the news of the seal may come after that of the key
    wait_until(house, lambda: town.use_seal(anew).status == 201)

    told_in_the_timeline(town, incident_id)
    told_in_the_ledger(town, run.json()["id"])


def opened(town: Town, first: Alert, second: Alert) -> str:
    """Open an incident for both alerts."""
    incidents, analyst = town.scheduler.playbooks.incidents, town.scheduler.act_as("analyst")
    made = incidents.open_incident(analyst, NewIncident(alert_id=first.id))
    incidents.link_alert(analyst, made.id, second.id)
    return made.id


def refused_deciders(town: Town, run: Answer, analyst: str) -> None:
    """Who asked does not approve, by no account of theirs; nor does a session that is over."""
    site, iam = town.site, town.site.house.iam
    assert code_of(decide(town, run, analyst)) == (403, "kernel.forbidden")
    site.add_account("twin", "security-admin", ROOT_ORG, 77)
    join_person(iam, iam.actors.by_account("twin").id, iam.actors.by_account("analyst").id)
    twin, _ = town.sign_in("twin")
    assert code_of(decide(town, run, twin)) == (403, "kernel.self_approval")
    security, _ = town.sign_in("security-admin")
    owner = town.scheduler.act_as("system-admin")
    iam.sessions.revoke_sessions(owner, "security-admin", "the session is over")
    assert decide(town, run, security).status == 401
    shown = site.call("GET", f"{RUNS}/{run.json()['id']}", token=analyst).json()
    assert shown["state"] == "awaiting_approval"


def told_in_the_timeline(town: Town, incident_id: str) -> None:
    incidents, analyst = town.scheduler.playbooks.incidents, town.scheduler.act_as("analyst")
    texts = [line.text for line in incidents.show_incident(analyst, incident_id).timeline]
    steps = [f"{name}:done" for name in ("session.revoke", "key.suspend", "seal.suspend")]
    steps += ["key.resume:done", "seal.resume:done"]
    assert [text for text in texts if text in steps] == steps
    assert texts.count("批准剧本运行") == 2


def told_in_the_ledger(town: Town, run_id: str) -> None:
    """The ledger verifies, and holds every step of the story by name, in its order."""
    ledger = town.scheduler.audits.ledger
    ledger.sequencer.drain()
    verdict = ledger.verify_ledger(town.scheduler.act_as("auditor"))
    assert (verdict.valid, verdict.first_bad) == (True, None)
    entries = ledger.store.entries(0, verdict.entries)
    # two processes' doors are emptied one after the other
    records = sorted((orjson.loads(one.entry.record) for one in entries), key=lambda r: r["at"])
    names = [f"{record['action']} {record['outcome']}" for record in records]
    story = (
        "iam.sign_in refused",
        "detectors.raise_alert done",
        "iam.decide refused",
        "playbooks.open_incident done",
        "playbooks.request_run done",
        "web.approve_run refused",
        "playbooks.approve_run done",
        "playbooks.start_run done",
        "iam.revoke_session done",
        "kms.suspend_key done",
        "kms.suspend_seal done",
        "playbooks.finish_run done",
        "iam.notify_logout done",
        "web.sign refused",
        "kms.use_seal refused",
        "playbooks.approve_run done",
        "kms.resume_key done",
        "kms.resume_seal done",
    )
    place = 0
    for step in story:
        assert step in names[place:], (step, names[place:])
        place = names.index(step, place) + 1
    suspended = next(record for record in records if record["action"] == "kms.suspend_seal")
    assert suspended["details"]["run"] == run_id
    assert suspended["details"]["requester"] != suspended["details"]["approver"]
