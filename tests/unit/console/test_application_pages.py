"""The pages of devices, of signing out, and of applications."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import orjson

from iam.models.grants import LogoutNotice
from secops.kernel.clock import MINUTE
from tests.fakes.console_site import ConsoleSite, Reader

FORM = {
    "id": "oa-form",
    "name": "OA <b>",
    "grant authorization_code": "1",
    "redirect_uris": "https://oa.example/cb",
    "scopes": "openid",
    "level": "2",
    "max_age": "600",
    "real_name_level": "document",
    "back_channel_uri": "https://oa.example/bc",
}


def device(console: ConsoleSite) -> dict[str, str]:
    """Begin a device's sign-in, as the command line does."""
    reader = Reader(console.site)
    fields = {"client_id": "secops-cli", "scope": "openid api"}
    found: dict[str, str] = orjson.loads(reader.post("/oauth2/device_authorization", fields).body)
    return found


def poll(console: ConsoleSite, code: str) -> dict[str, str]:
    fields = {
        "client_id": "secops-cli",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": code,
    }
    found: dict[str, str] = orjson.loads(Reader(console.site).post("/oauth2/token", fields).body)
    return found


def test_a_device_is_named_before_it_is_let_in(console: ConsoleSite) -> None:
    reader, begun = console.reader("staff"), device(console)
    assert "user_code" in reader.get("/device").text
    complete = f"/device?user_code={begun['user_code']}"
    page = reader.get(complete).text
    for shown in ("secops", "127.0.0.1", "openid", "api", "只有在您本人"):
        assert shown in page
    typed = reader.post("/device", {"user_code": begun["user_code"].lower()})
    assert (typed.status, 'value="approve"' in typed.text) == (200, True)
    wrong = reader.post("/device", {"user_code": "BBBB-BBBB"})
    assert (wrong.status, "设备代码无效" in wrong.text) == (400, True)
    form = {"user_code": begun["user_code"], "do": "approve"}
    assert reader.post("/device/decision", form, origin="https://evil.example").status == 403
    assert reader.post("/device/decision", form | {"do": "x"}).status == 400
    assert "已允许" in reader.post("/device/decision", form).text
    assert reader.post("/device/decision", form).status == 400
    assert "access_token" in poll(console, begun["device_code"])


def test_a_device_is_denied(console: ConsoleSite) -> None:
    reader, begun = console.reader("staff"), device(console)
    done = reader.post("/device/decision", {"user_code": begun["user_code"], "do": "deny"})
    assert "已拒绝" in done.text
    assert poll(console, begun["device_code"])["error"] == "access_denied"


def test_a_stranger_signs_in_before_seeing_any_device(console: ConsoleSite) -> None:
    answer = Reader(console.site).get("/device?user_code=BBBB-BBBB")
    assert answer.status == 303
    assert answer.headers["location"].startswith("/signin?next=/device")


def test_signing_out_on_an_applications_word_is_asked(console: ConsoleSite) -> None:
    query = urlencode({"client_id": "secops-console", "state": '"><script>', "x": "y"})
    page = Reader(console.site).get(f"/logout?{query}").text
    assert "govsecops" in page
    assert 'action="/oauth2/logout"' in page
    assert "<script>" not in page.partition("<form")[2].partition("</form>")[0]
    assert 'name="x"' not in page


def test_an_application_is_registered_on_its_page_and_its_secret_shown_once(
    console: ConsoleSite,
) -> None:
    reader = console.reader("system-admin")
    made = reader.post("/applications", FORM)
    assert re.search(r"<code>[\w-]{43}</code>", made.text)
    listed = reader.get("/applications").text
    assert "OA &lt;b&gt;" in listed
    assert "aal:2, 实名: 人证核验" in listed
    mine = console.reader("staff").get("/apps").text
    assert "该应用要求实名等级 4(人证核验)" in mine
    assert "在上级身份源或其窗口将实名等级提升至 4(人证核验)" in mine
    assert not re.search(r"<code>[\w-]{43}</code>", listed)
    for change in (
        {"id": "X"},
        {"redirect_uris": "http://evil"},
        {"max_age": "x"},
        {"real_name_level": "4"},
        {},
    ):
        refused = reader.post("/applications", FORM | change)
        assert 'role="alert"' in refused.text or refused.status == 400
    public = FORM | {"id": "spa", "method": "none"}
    assert "没有共享密钥" in reader.post("/applications", public).text
    for wrong in ({"level": "²"}, {"level": "9" * 5_000}, {"max_age": "1e3"}):
        assert reader.post("/applications", {**public, **wrong}).status == 400
    assert (
        'action="/applications"' not in console.reader("security-admin").get("/applications").text
    )


def test_a_request_goes_from_hand_to_hand(console: ConsoleSite) -> None:
    staff, admin = console.reader("staff"), console.reader("security-admin")
    metadata = {"client_name": "Portal", "redirect_uris": ["https://portal.example/cb"]}
    asked = staff.post("/applications/requests", {"metadata": json.dumps(metadata)})
    place = asked.headers["location"]
    assert "领取应用凭据" not in staff.get(place).text
    for wrong in ("{", "[]", '{"redirect_uris": ["http://evil"]}'):
        assert staff.post("/applications/requests", {"metadata": wrong}).status == 400
    decide = f"/approvals/{place.rpartition('/')[2]}"
    assert decide in admin.get("/applications/approvals").text
    assert "Portal" in admin.get(place).text, "who approves sees what is asked for"
    assert "<ins>https://portal.example/cb</ins>" in admin.get(decide).text
    assert decide in admin.get("/approvals").text
    assert console.reader("analyst").get(place).status == 403
    assert admin.post(decide, {"do": "x"}).status == 400
    assert staff.post(decide, {"do": "approve"}).status == 403
    assert admin.post(decide, {"do": "approve", "reason": "ok"}).status == 303
    assert "已批准" in admin.get(decide).text
    assert "领取应用凭据" in staff.get(place).text
    assert re.search(r"<code>[\w-]{43}</code>", staff.post(f"{place}/complete").text)
    assert staff.post(f"{place}/complete").status == 409


def test_silent_partners_are_listed_and_told_again(console: ConsoleSite) -> None:
    house = console.site.house
    now = house.parts.clock.now()
    notice = LogoutNotice(
        id="lgo_1",
        org_id=house.iam.actors.by_account("staff").org_id,
        client_id="mute-app",
        session_id="ses_1",
        account_id="acc_1",
        state="silent",
        tries=9,
        next_at=now,
        created_at=now - MINUTE,
        trouble="status 500",
    )
    store = house.iam.logouts.means.stores.logouts
    house.parts.transactions.run(lambda tx: store.add(tx, notice))
    house.parts.transactions.run(lambda tx: store.keep(tx, notice))
    reader = console.reader("security-admin")
    page = reader.get("/silent-partners").text
    for shown in ("mute-app", "status 500", "未确认,已放弃", "/silent-partners/lgo_1/retry"):
        assert shown in page
    assert reader.post("/silent-partners/lgo_1/retry").status == 303
    assert "重试中" in reader.get("/silent-partners").text
    assert reader.post("/silent-partners/lgo_1/retry").status == 404
