"""Emergency accounts and waiting resets as pages, over HTTP and on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from secops.app import open_house
from secops.bridges.doctor import Finding, examine
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.kernel.clock import DAY, HOUR
from tests.fakes.console_site import ConsoleSite, Page, Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins

OURS = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    home = tmp_path_factory.mktemp("emergency") / "home"
    make_demo_home(home)
    house = open_house(home, "gateway")
    yield ConsoleSite(DemoSite(house, all_routes(house), build_gateway(house), read_logins(home)))
    house.close()


def run(site: ConsoleSite, account: str, *words: str, typed: str = "") -> Result:
    command = ["--home", str(site.site.house.settings.home), "--as", account, "iam", *words]
    return CliRunner().invoke(cli, command, input=typed)


def store(site: ConsoleSite, statement: str, **given: int) -> None:
    """Let time pass in the database: real time is not waited for."""
    site.site.house.parts.transactions.run(lambda tx: tx.execute(sa.text(statement), given))


def finding(site: ConsoleSite) -> Finding:
    found = examine(site.site.house.settings.home)
    return next(each for each in found if each.name == "emergency accounts")


def approved(site: ConsoleSite, role: str) -> str:
    asked = site.reader("system-admin").post(
        "/break-glass", {"role": role, "reason": "new home", "do": "seal"}
    )
    assert asked.headers["location"] == "/approvals"
    listed = site.reader("security-admin").get("/approvals")
    request = re.findall(r"apr_[0-9a-z]+", listed.text)[0]
    assert run(site, "security-admin", "approve-change", request).exit_code == 0
    return str(request)


def code_words(page: Page) -> list[str]:
    return re.findall(r"<dd><code>([^<]+)</code>", page.text)


def ask(reader: Reader, verb: str, body: object = None) -> tuple[int, Any]:
    method, _, path = verb.partition(" ")
    content = b"" if body is None else json.dumps(body).encode()
    page = reader._ask(method, f"/api/v1/iam{path}", content, "application/json", OURS)
    return page.status, json.loads(page.body) if page.body else None


def test_an_emergency_account_goes_its_way_on_pages(site: ConsoleSite) -> None:
    assert finding(site).state == "unprotected"
    system, security = site.reader("system-admin"), site.reader("security-admin")
    audit = site.reader("audit-admin")
    request = approved(site, "security-admin")
    first = system.post("/break-glass/seal", {"request": request, "do": "seal"})
    name, half = code_words(first)
    assert "信封 1" in first.text.replace("</h1>", "")
    assert "not sealed" in finding(site).seen
    again = system.post("/break-glass/seal", {"request": request, "do": "seal"})
    assert again.status in (403, 409)
    second = security.post("/break-glass/security-admin/collect")
    assert code_words(second)[0] == name
    codes = re.findall(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", second.text.partition("<pre>")[2])
    assert len(codes) == 10
    assert finding(site).state == "ok"
    halves = {"first": half, "second": code_words(second)[1]}
    wrong = system.post("/break-glass/security-admin/test", {**halves, "first": "x"})
    assert (wrong.status, "refusal" in wrong.text) == (403, True)
    assert system.post("/break-glass/security-admin/test", halves).status == 303
    store(site, "UPDATE iam_break_glass SET tested_at = sealed_at - :ago", ago=32 * DAY)
    assert "month" in finding(site).seen
    used = "UPDATE iam_break_glass SET opened_at = sealed_at - :ago, open_until = sealed_at"
    store(site, used, ago=4 * HOUR)
    assert "已使用,待复核" in audit.get("/break-glass").text
    assert audit.post("/break-glass/security-admin/review", {"note": " "}).status == 400
    assert audit.post("/break-glass/security-admin/review", {"note": "case 3"}).status == 303
    assert "已复核" in audit.get("/break-glass").text
    assert site.reader("staff").get("/break-glass").status == 403
    exported = system.get("/break-glass?format=csv").text
    assert re.search(rf"{name},\"?[^\"]+\"?,\d{{4}}-\d\d-\d\dT[\d:.]+Z,", exported)
    store(site, "DELETE FROM iam_break_glass")


def test_the_same_over_http(site: ConsoleSite) -> None:
    system, security = site.reader("system-admin"), site.reader("security-admin")
    wish = {"role": "audit-admin", "reason": "new home"}
    status, asked = ask(system, "POST /break-glass-requests", wish)
    assert status == 201
    one = f"/break-glass-requests/{asked['id']}"
    assert ask(system, f"POST {one}/seal", {})[0] == 409
    approve = f"POST /change-requests/{asked['id']}/approve"
    assert ask(security, approve, {"reason": "seen"})[0] in (200, 204)
    status, first = ask(system, f"POST {one}/seal", {})
    assert (status, sorted(first)) == (201, ["account", "first_half"])
    status, second = ask(security, "POST /break-glass/audit-admin/collect", {})
    assert (status, len(second["codes"])) == (200, 10)
    whole = f"{first['first_half']}-{second['second_half']}"
    assert ask(system, "POST /break-glass/audit-admin/test", {"password": whole})[0] == 204
    assert ask(system, f"POST {one}/retire", {})[0] == 409
    audit = site.reader("audit-admin")
    assert ask(audit, "POST /break-glass/audit-admin/review", {"note": "none"})[0] == 409
    status, listed = ask(audit, "GET /break-glass")
    assert [(each["role"], each["state"]) for each in listed["items"]] == [
        ("audit-admin", "sealed")
    ]
    store(site, "DELETE FROM iam_break_glass")


def test_the_same_on_the_command_line(site: ConsoleSite) -> None:
    wish = ("request-break-glass", "system-admin", "--reason", "new home")
    asked = run(site, "system-admin", *wish)
    request = asked.stdout.strip()
    assert run(site, "security-admin", "approve-change", request).exit_code == 0
    made = run(site, "system-admin", "create-break-glass", request, "--json")
    half = json.loads(made.stdout)["first_half"]
    taken = run(site, "security-admin", "collect-break-glass", "system-admin")
    assert taken.stdout.startswith("envelope 2")
    other = re.findall(r"second half  (\S+)", taken.stdout)[0]
    tested = run(
        site, "system-admin", "test-break-glass", "system-admin", typed=f"{half}\n{other}\n"
    )
    assert tested.exit_code == 0, tested.output
    listed = json.loads(run(site, "auditor", "list-break-glass", "--json").stdout)["items"]
    assert [(each["role"], each["state"]) for each in listed] == [("system-admin", "sealed")]
    assert run(site, "audit-admin", "review-break-glass", "system-admin", "--note", "x").exit_code
    end = run(site, "system-admin", *wish, "--retire").stdout.strip()
    assert run(site, "security-admin", "approve-change", end).exit_code == 0
    assert run(site, "system-admin", "retire-break-glass", end).exit_code == 0
    assert json.loads(run(site, "auditor", "list-break-glass", "--json").stdout)["items"] == []
    sealed = run(site, "system-admin", *wish).stdout.strip()
    assert run(site, "security-admin", "approve-change", sealed).exit_code == 0
    shown = run(site, "system-admin", "create-break-glass", sealed)
    assert shown.stdout.startswith("envelope 1")
    store(site, "DELETE FROM iam_break_glass")


def test_an_owner_is_warned_on_every_page_and_cancels_without_a_fresh_sign_in(
    site: ConsoleSite,
) -> None:
    owner = site.reader("analyst")
    assert "有人申请重置您的登录因素" not in owner.get("/me").text
    asked = run(site, "system-admin", "request-reset", "analyst", "--reason", "a caller said so")
    reset = asked.stdout.strip()
    store(site, "UPDATE iam_sessions SET auth_time = auth_time - :ago", ago=HOUR)
    for page in ("/me", "/apps", "/alerts"):
        assert "有人申请重置您的登录因素" in owner.get(page).text
    assert "有人申请重置您的登录因素" not in site.reader("staff").get("/me").text
    shown = owner.get("/me/resets").text
    assert "a caller said so" in shown
    assert "待批准" in shown
    assert site.reader("staff").post(f"/me/resets/{reset}/cancel").status == 404
    assert owner.post(f"/me/resets/{reset}/cancel").headers["location"] == "/me/resets"
    assert owner.post(f"/me/resets/{reset}/cancel").status == 409
    assert "没有待生效的申请" in owner.get("/me/resets").text
    assert "有人申请重置您的登录因素" not in owner.get("/me").text


def test_resets_of_ones_own_over_http(site: ConsoleSite) -> None:
    owner = site.reader("integrator")
    reset = run(site, "system-admin", "request-reset", "integrator", "--reason", "x").stdout.strip()
    status, listed = ask(owner, "GET /me/resets")
    assert [(each["id"], each["approved"]) for each in listed["items"]] == [(reset, False)]
    audit = site.reader("audit-admin")
    assert ask(audit, f"POST /resets/{reset}/hasten", {"reason": "now"})[0] == 409
    assert run(site, "security-admin", "approve-reset", reset).exit_code == 0
    store(site, "UPDATE iam_sessions SET auth_time = auth_time + :ago", ago=HOUR)
    status, hastened = ask(audit, f"POST /resets/{reset}/hasten", {"reason": "now"})
    assert (status, hastened["hastened"]) == (200, True)
    assert "等待期已缩短" in owner.get("/me/resets").text
    assert ask(owner, f"POST /me/resets/{reset}/cancel", {})[0] == 204
    assert ask(owner, f"POST /me/resets/{reset}/cancel", {})[0] == 409
