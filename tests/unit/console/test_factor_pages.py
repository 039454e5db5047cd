"""One's own factors and step-up as pages, over the whole application."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from secops.app import open_house
from secops.bridges.doctor import examine
from secops.bridges.processes import all_routes, build_gateway
from secops.kernel.clock import SECOND
from tests.fakes.authenticator import Authenticator
from tests.fakes.console_site import STEP, ConsoleSite, Page, Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> ConsoleSite:
    home = tmp_path_factory.mktemp("factors") / "home"
    make_demo_home(home)
    house = open_house(home, "gateway")
    return ConsoleSite(DemoSite(house, all_routes(house), build_gateway(house), read_logins(home)))


def question(page: Page) -> tuple[dict[str, Any], str]:
    """The options of a page's passkey form and its challenge."""
    form = re.search(r'<form[^>]*data-question="([^"]*)".*?</form>', page.text, re.DOTALL)
    assert form is not None, page.text
    challenge = re.search(r'name="challenge" value="([^"]*)"', form[0])
    assert challenge is not None
    return json.loads(html.unescape(form[1])), challenge[1]


def age(site: ConsoleSite, reader: Reader, seconds: int) -> None:
    """Make the reader's sign-in that much older: real time is not waited for."""
    import sqlalchemy as sa  # noqa: PLC0415 - one use

    run = site.site.house.parts.transactions.run
    statement = "UPDATE iam_sessions SET auth_time = auth_time - :ago"
    run(lambda tx: tx.execute(sa.text(statement), {"ago": seconds * SECOND}))


def test_a_passkey_is_added_used_alone_renamed_and_removed(site: ConsoleSite) -> None:
    reader, device = site.reader("staff"), Authenticator()
    options, challenge = question(reader.get("/me/passkeys/new"))
    form = {"challenge": challenge, "answer": device.create(options), "name": "手机"}
    assert reader.post("/me/passkeys", form).headers["location"] == "/me/factors"
    stranger = Reader(site.site)
    transaction = stranger._begin()
    options, challenge = question(stranger.get(f"/login?transaction={transaction}"))
    answer = stranger.post(
        "/login/passkey",
        {"transaction": transaction, "challenge": challenge, "answer": device.get(options)},
    )
    while answer.status == 303 and "rp_session" not in stranger.jar:
        answer = stranger.get(answer.headers["location"].removeprefix("http://localhost:8080"))
    listed = stranger.get("/me/factors").text
    assert "手机" in listed
    (passkey,) = set(re.findall(r"/me/passkeys/([0-9a-f]{24})/remove", listed))
    assert stranger.post(f"/me/passkeys/{passkey}/name", {"name": "电脑"}).status == 303
    assert "电脑" in stranger.get("/me/factors").text
    assert stranger.post(f"/me/passkeys/{passkey}/remove").status == 303
    assert "电脑" not in stranger.get("/me/factors").text


def test_a_wrong_passkey_is_refused_on_the_page(site: ConsoleSite) -> None:
    stranger = Reader(site.site)
    transaction = stranger._begin()
    _, challenge = question(stranger.get(f"/login?transaction={transaction}"))
    form = {"transaction": transaction, "challenge": challenge, "answer": "{}"}
    refused = stranger.post("/login/passkey", form)
    assert (refused.status, "通行密钥未被接受" in refused.text) == (401, True)
    assert stranger.post("/login/passkey", form, origin="https://evil.example").status == 403


def test_a_stale_session_is_asked_once_more_and_goes_on(site: ConsoleSite) -> None:
    reader = Reader(site.site)
    reader.sign_in("analyst")
    before = dict(reader.jar)
    age(site, reader, 400)
    assert reader.get("/me/totp").headers["location"] == "/step-up?next=/me/totp"
    page = reader.get("/step-up?next=/me/totp")
    assert (page.status, "再次确认身份" in page.text) == (200, True)
    wrong = reader.post("/step-up", {"next": "/me/totp", "code": "000000"})
    assert wrong.status == 401
    code = site.site.logins["analyst"].code(site.site.house.parts.clock.now() + STEP)
    done = reader.post("/step-up", {"next": "/me/totp", "code": code})
    assert (done.status, done.headers["location"]) == (303, "/me/totp")
    assert reader.get("/me/totp").status == 200
    assert reader.jar["rp_session"] != before["rp_session"]
    assert reader.jar["op_session"] != before["op_session"]
    stolen = Reader(site.site, jar=before)
    assert stolen.get("/me/totp").headers["location"].startswith("/signin")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil"])
def test_step_up_leads_back_to_us_alone(site: ConsoleSite, target: str) -> None:
    page = site.reader("staff").get(f"/step-up?next={target}")
    assert '<a href="/">返回</a>' in page.text


def test_a_form_sent_too_late_leads_to_step_up_and_back_to_its_page(site: ConsoleSite) -> None:
    reader = Reader(site.site)
    reader.sign_in("auditor")
    age(site, reader, 400)
    ours = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}
    for referer, onward in (
        ("http://localhost:8080/me/factors?x=1", "/me/factors%3Fx%3D1"),
        ("https://evil.example/me", "/"),
    ):
        answer = reader.post("/me/recovery-codes", {}, referer=referer, **ours)
        assert answer.headers["location"] == f"/step-up?next={onward}"


def test_password_app_and_codes_are_renewed(site: ConsoleSite) -> None:
    reader = Reader(site.site)
    reader.sign_in("integrator")
    login = site.site.logins["integrator"]
    codes = reader.post("/me/recovery-codes")
    assert len(re.findall(r"^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$", codes.text, re.MULTILINE)) == 9
    page = reader.get("/me/totp")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)
    reference = re.search(r'name="reference" value="([^"]+)"', page.text)
    assert secret is not None
    assert reference is not None
    form = {"reference": reference[1], "code": "000000"}
    assert reader.post("/me/totp", form).status == 401
    renewed = type(login)(login.password, secret[1])
    form["code"] = renewed.code(site.site.house.parts.clock.now())
    assert reader.post("/me/totp", form).headers["location"] == "/me/factors"
    assert reader.post("/me/totp/remove").status == 409
    other = Reader(site.site)
    site.site.logins["integrator"] = renewed
    other.sign_in("integrator", ahead=1)
    new = "Fresh-Heron-52-Willow"
    for old, first, second, status in (
        (login.password, new, new + "x", 400),
        ("wrong", new, new, 401),
        (login.password, "short", "short", 400),
        (login.password, login.password, login.password, 400),
        (login.password, new, new, 303),
    ):
        given = {"old": old, "password": first, "repeat": second, "others": "end"}
        assert (old, reader.post("/me/password", given).status) == (old, status)
    assert other.get("/me/factors").status == 303
    assert reader.get("/me/factors").status == 200


def test_sealing_exporting_and_approving_runs_take_a_fresh_sign_in(site: ConsoleSite) -> None:
    ours = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}
    for name, form, back in (
        ("seal-holder", "/seals/none/use", "/seals/none"),
        ("auditor", "/assessments/none/report", "/assessments/none"),
        ("security-admin", "/runs/none/approve", "/runs/none"),
    ):
        reader = Reader(site.site)
        reader.sign_in(name, ahead=1)
        fresh = reader.post(form, {}, referer=f"http://localhost:8080{back}", **ours)
        assert not fresh.headers.get("location", "").startswith("/step-up")
        age(site, reader, 301)
        late = reader.post(form, {}, referer=f"http://localhost:8080{back}", **ours)
        assert (late.status, late.headers["location"]) == (303, f"/step-up?next={back}")


def test_doctor_names_what_is_not_national(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('crypto_profile = "gm"\n')
    (finding,) = [each for each in examine(tmp_path) if each.name == "crypto_profile"]
    named = set(finding.seen.removeprefix("gm; not national: ").split(", "))
    assert {"passkeys", "password_hash", "transport"} <= named
    assert named.isdisjoint({"pepper", "one_time_codes", "seals", "certificate_sign_in"})
