"""Every page of the console for every role, and what it does with hostile input."""

from __future__ import annotations

import csv
import io
import re

import pytest

from secops.kernel.permissions import ROLES, permissions_of
from secops.web.messages import Request
from secops.web.routes import Public, Route, SignedIn
from tests.fakes.console_site import ConsoleSite, Reader

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
LISTS = {
    "/alerts": "analyst",
    "/rules": "analyst",
    "/data-policies": "analyst",
    "/incidents": "analyst",
    "/runs": "analyst",
    "/accounts": "analyst",
    "/seals": "auditor",
    "/ledger": "auditor",
    "/assessments": "auditor",
}


def pages(console: ConsoleSite) -> list[Route]:
    return [route for route in console.site.routes if route.page]


def filled(path: str) -> str:
    return re.sub(r"<[^>]+>", "none", path)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_gets_past_the_guard_exactly_where_the_table_says(
    console: ConsoleSite, role: str
) -> None:
    reader, held = console.reader(role), permissions_of(frozenset({role}))
    for route in pages(console):
        if isinstance(route.access, Public | SignedIn):
            continue
        path = filled(route.path)
        answer = reader.get(path) if route.method == "GET" else reader.post(path)
        if route.access in held:
            assert (route.operation, answer.status in (200, 303, 400, 404, 409, 422)) == (
                route.operation,
                True,
            ), answer.text
        else:
            assert (route.operation, answer.status) == (route.operation, 403)
            assert str(route.access) in answer.text


def test_nobody_signed_in_is_sent_to_sign_in_and_comes_back(console: ConsoleSite) -> None:
    stranger = Reader(console.site)
    for route in pages(console):
        if isinstance(route.access, Public):
            continue
        path = filled(route.path)
        if route.method == "GET":
            answer = stranger.get(path + "?a=b")
            assert answer.status == 303
            assert answer.headers["location"] == f"/signin?next={path}%3Fa%3Db"
        else:
            assert stranger.post(path).status == 401


@pytest.mark.parametrize(("path", "role"), LISTS.items())
def test_every_list_can_be_exported(console: ConsoleSite, path: str, role: str) -> None:
    reader = console.reader(role)
    answer = reader.get(f"{path}?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    # the first list's: a page may have other tables, which are not exported
    head = reader.get(path).text.partition("<thead>")[2].partition("</thead>")[0]
    headings = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)<', head)
    assert rows[0] == headings
    assert all(len(row) == len(rows[0]) for row in rows)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


OTHERS_MAY_SEND = {
    "verify_seal_form",  # changes nothing
    "log_out_by_form",  # an application may (RP-Initiated Logout §2): it leads to a question
}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site"},
        {"x_nothing": "1"},
    ],
)
def test_no_form_of_another_site_is_obeyed(console: ConsoleSite, headers: dict[str, str]) -> None:
    for route in pages(console):
        if route.method == "POST" and route.operation not in OTHERS_MAY_SEND:
            answer = console.reader("staff").post(filled(route.path), {"lang": "en"}, **headers)
            assert (route.operation, answer.status) == (route.operation, 403)
    asked = console.reader("staff").post("/oauth2/logout", {}, **headers)
    assert (asked.status, asked.headers["location"]) == (303, "/oauth2/logout")
    assert console.reader("staff").get("/").status == 200


def test_what_people_write_is_shown_as_text(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    found = re.search(r'href="(/alerts/alr_[^"?]+)', analyst.get("/alerts?severity=medium").text)
    assert found is not None
    incident = analyst.post(f"{found[1]}/incident").headers["location"]
    assert analyst.post(f"{incident}/notes", {"text": XSS}).status == 303
    for path in (incident, f"/logs?q={XSS.replace(' ', '+')}", f"/alerts?status={'<b>'}"):
        text = analyst.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in analyst.get(incident).text


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere(console: ConsoleSite, target: str) -> None:
    reader = Reader(console.site)
    answer = reader.post("/preferences", {"lang": "en", "next": target})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    begun = reader.get(f"/signin?next={target}")
    assert begun.status in (303, 400)
    if begun.status == 303:
        assert begun.headers["location"].startswith(("/", "http://localhost:8080/"))
        assert not begun.headers["location"].startswith("//")


def test_the_language_is_kept_and_changes_the_page(console: ConsoleSite) -> None:
    reader = Reader(console.site)
    answer = reader.post("/preferences", {"lang": "en", "next": "/verify?x=1"})
    assert (answer.headers["location"], reader.jar["lang"]) == ("/verify?x=1", "en")
    text = reader.get("/verify").text
    assert "Verify a seal" in text
    assert not re.search("[\u4e00-\u9fff]", text.replace("中文", ""))


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\x30\x82\xff\xff", b"PK\x03\x04" + b"\0" * 99]
)
def test_hostile_files_are_refused_with_a_reason(console: ConsoleSite, content: bytes) -> None:
    reader = Reader(console.site, remote="192.0.2.77")
    answer = reader.upload("/verify", {}, {"sealed": content})
    assert answer.status in (200, 400, 422)
    assert 'badge good">有效' not in answer.text
    assert 'role="alert"' in answer.text or "无效" in answer.text


def test_too_large_a_file_is_refused_before_it_is_read(console: ConsoleSite) -> None:
    holder = console.reader("seal-holder")
    listed = holder.get("/seals").text
    found = re.search(r'href="(/seals/seal_[^"]+)"', listed)
    assert found is not None
    big = holder.upload(f"{found[1]}/use", {"purpose": "x"}, {"document": bytes(21 << 20)})
    assert big.status == 413
    assert Reader(console.site).upload("/verify", {}, {"sealed": bytes(42 << 20)}).status == 413


def test_public_verification_is_limited_per_address(console: ConsoleSite) -> None:
    reader = Reader(console.site, remote="192.0.2.78")
    answers = [reader.upload("/verify", {}, {"sealed": b"x"}).status for _ in range(21)]
    assert 429 not in answers[:20]
    assert answers[20] == 429
    other = Reader(console.site, remote="192.0.2.79")
    assert other.upload("/verify", {}, {"sealed": b"x"}).status != 429


ITS_OWN = (
    r'value="[^"]*"|data-question="[^"]*"|transaction=[^"]*"'
    r'|<code>.*?</code>|<time.*?</time>|nonce="[^"]*"'
)


def test_a_wrong_password_says_no_more_than_an_unknown_name(console: ConsoleSite) -> None:
    texts = []
    for name in ("integrator", "nobody"):
        reader = Reader(console.site)
        form = {"transaction": reader._begin(), "name": name, "password": "wrong"}
        answer = reader.post("/login", form)
        texts.append(
            (
                answer.status,
                re.sub(
                    r'value="[^"]*"|data-question="[^"]*"|transaction=[^"]*"|<code>.*?</code>|<time.*?</time>|nonce="[^"]*"',
                    "",
                    answer.text,
                ),
            )
        )
    assert texts[0] == texts[1]


def test_a_sign_in_ends_with_sign_out(console: ConsoleSite) -> None:
    reader = Reader(console.site)
    reader.sign_in("zhangwei", ahead=1)
    kept = dict(reader.jar)
    assert reader.get("/me").status == 200
    assert reader.post("/signout").headers["location"] == "/signed-out"
    assert "rp_session" not in reader.jar
    reader.jar = kept
    assert reader.get("/me").status == 303
    assert reader.get("/signed-out").status == 200


def test_a_request_without_a_page_is_told_so() -> None:
    from secops.console.render import here  # noqa: PLC0415 - beside its one use

    assert here(Request("POST", "/x")) == "/"
    assert here(Request("GET", "/x", "a=1")) == "/x?a=1"


def test_a_bad_enrolment_token_is_named_and_asked_for_again(console: ConsoleSite) -> None:
    reader = Reader(console.site)
    answer = reader.get("/enrol?token=guessed")
    assert answer.status == 401
    assert 'role="alert"' in answer.text
    assert 'name="token"' in answer.text
    form = {"token": "guessed", "password": "a", "repeat": "b"}
    assert reader.post("/enrol", form).status == 401
