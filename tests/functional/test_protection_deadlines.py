"""What is locked or revoked by another process is refused here within a second."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from secops.cli import cli
from secops.kernel.clock import SystemClock
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.pages import PageRequest
from tests.fakes.demo_site import DemoSite, open_demo_site, read_application

DEADLINE = 1.0
INPUT = orjson.dumps({"input": base64.b64encode(b"hello").decode()})


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> DemoSite:
    """A home of this module's own: it locks what other tests work with."""
    return open_demo_site(tmp_path_factory.mktemp("protection") / "home")


def test_a_risen_risk_is_refused_on_the_next_request(mine: DemoSite) -> None:
    site = mine
    token = site.token("integrator")
    account = orjson.loads(site.call("GET", "/api/v1/iam/me", token=token).body)["id"]
    asked = "/api/v1/kms/keys"
    assert site.call("GET", asked, token=token).status == 200
    (risk,) = (
        one for plane in site.house.planes for one in plane.subscriptions if one.name == "iam.risk"
    )
    now = SystemClock().now()
    risk.handle(Delivery(10**9, now, SubjectRiskChanged("org_root", f"account:{account}", 60, "t")))
    answer = site.call("GET", asked, token=token)
    problem = answer.json()
    assert (answer.status, problem["code"]) == (401, "kernel.step_up_required")
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert "because_zh" in problem
    risk.handle(
        Delivery(10**9 + 1, now, SubjectRiskChanged("org_root", f"account:{account}", 96, "t"))
    )
    assert site.call("GET", "/api/v1/iam/me", token=token).status == 401


def test_policies_locks_and_devices_over_http(mine: DemoSite) -> None:
    site = mine
    security, system = site.token("security-admin"), site.token("system-admin")
    own = (
        '@id("own.x") @title_zh("题") @title_en("t") @advice("a") '
        'forbid (principal in Role::"auditor", action == Action::"iam.account.read", resource) '
        "when { context.grade == 0 };"
    )

    def send(verb: str, token: str, **body: Any) -> tuple[int, Any]:
        method, _, path = verb.partition(" ")
        answer = site.call(method, f"/api/v1/iam{path}", token=token, body=orjson.dumps(body))
        return answer.status, answer.json() if answer.body else None

    assert send("POST /policies/check", security, policies="x")[1]["sound"] is False
    assert send("POST /policies/simulate", security, policies=own)[0] == 200
    status, draft = send("POST /policies", security, title="t", policies=own)
    assert status == 201
    one = f"/policies/{draft['id']}"
    assert send(f"PUT {one}", security, title="u", policies=own)[1]["title"] == "u"
    assert send(f"POST {one}/propose", security, reason="r")[0] == 201
    assert send(f"POST {one}/approve", security)[0] == 403
    assert send(f"POST {one}/approve", system)[1]["state"] == "active"
    assert send("GET /policies/active", security)[1]["number"] == 1
    refused = site.call("GET", "/api/v1/iam/accounts", token=site.token("auditor"))
    assert (refused.status, refused.json()["policies"]) == (403, "own.x")
    assert send(f"GET {one}", security)[1]["policies"] == own
    assert send(f"POST {one}/restore", security)[0] == 409
    assert send(f"POST {one}/reject", system)[0] == 409
    bad = {"kind": "account", "subject": "staff", "reason": "r", "until": "tomorrow"}
    assert send("POST /locks", security, **bad)[0] == 400
    status, lock = send("POST /locks", security, **{**bad, "until": "2999-01-01T00:00:00Z"})
    assert status == 400
    status, lock = send("POST /locks", security, kind="account", subject="staff", reason="r")
    assert status == 201
    assert send(f"POST /locks/{lock['id']}/lift", security, reason="r")[0] == 201
    assert send(f"POST /locks/{lock['id']}/refuse", system)[1]["lifted_at"] is None
    assert send(f"POST /locks/{lock['id']}/lift", security, reason="r")[0] == 201
    assert send(f"POST /locks/{lock['id']}/approve", system)[1]["lifted_at"]
    assert send("POST /locks", security, kind="planet", subject="x", reason="r")[0] == 400
    assert send("POST /device-reports", "", statement="a.b.c")[0] == 401
    assert send("POST /device-reports", "", statement=5)[0] == 400
    assert send("POST /me/devices/challenge", security)[0] == 200
    assert send("POST /me/devices", security, name="n", statement="a.b.c")[0] == 401


def test_the_command_line_checks_drafts_and_activates(
    mine: DemoSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = mine.house.settings.home
    good, bad = tmp_path / "good.cedar", tmp_path / "bad.cedar"
    good.write_text(
        '@id("own.y") @title_zh("题") @title_en("t") @advice("a") '
        'forbid (principal in Role::"staff", action, resource) when { context.holiday };'
    )
    bad.write_text("nonsense")

    def run(who: str, *words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.main(["--home", str(home), "--as", who, "iam", *words], standalone_mode=False)
        return code or 0, capsys.readouterr().out.strip()

    security = "security-admin"
    _, checked = run(security, "check-policies", str(good), "--json")
    assert orjson.loads(checked) == {"sound": True, "findings": []}
    assert run(security, "check-policies", str(bad))[0] == 1
    _, tried = run(security, "simulate-policies", str(good), "--json")
    assert orjson.loads(tried)["decisions"] > 0
    _, version = run(security, "draft-policies", str(good), "--title", "holidays")
    run(security, "propose-policies", version, "--reason", "r")
    run("system-admin", "activate-policies", version)
    _, listed = run(security, "list-policies", "--json")
    states = {one["id"]: one["state"] for one in orjson.loads(listed)["items"]}
    assert states[version] == "active"
    assert "own.y" in [title.id for title in mine.house.iam.decisions.book.titles.values()]


def test_a_lock_by_another_process_holds_here_within_a_second(mine: DemoSite) -> None:
    site, home = mine, mine.house.settings.home
    client, _ = read_application(home)
    key = ["kms", "create-key", "letters", "--type", "sm2", "--grant", client]
    cli.main(["--home", str(home), "--as", "security-admin", *key], standalone_mode=False)
    token = site.application_token()

    def sign() -> int:
        return site.call("POST", "/v1/transit/sign/letters", token=token, body=INPUT).status

    assert sign() == 200
    words = ["--as", "analyst", "iam", "lock-subject", "client", client, "--reason", "stolen"]
    with subprocess.Popen(
        [sys.executable, "-m", "secops", "--home", str(home), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        took = seconds_until(lambda: sign() != 200, lambda: locked(site, client))
        assert process.wait(60) == 0
    print(f"refused {took:.3f} s after the lock was committed by another process")
    assert took <= DEADLINE
    assert sign() in (401, 403)


def locked(site: DemoSite, subject: str) -> bool:
    locks, actor = site.house.iam.protection.locks, site.house.act_as("auditor")
    page = locks.list_locks(actor, PageRequest())
    return any(one.subject == subject for one in page.items)


def seconds_until(refused: Callable[[], bool], committed: Callable[[], bool]) -> float:
    """Ask until it is refused; return how long that was after the act could be read."""
    started, seen = time.monotonic(), 0.0
    while not refused():
        if not seen and committed():
            seen = time.monotonic()
        assert time.monotonic() - started < 60
    return time.monotonic() - seen if seen else 0.0
