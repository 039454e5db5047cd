"""The pages on graded data: policies, traces, originals."""

from __future__ import annotations

from tests.fakes.console_site import ConsoleSite


def test_a_policy_is_set_in_the_page_and_listed(console: ConsoleSite) -> None:
    reader = console.reader("security-admin")
    form = {"source": "portal.log", "grade": "1", "mask_cn_mobile": "yes", "mask_email": "yes"}
    assert reader.post("/data-policies", form).status == 303
    shown = reader.get("/data-policies").text
    assert "portal.log" in shown
    assert "手机号码、电子邮箱" in shown
    refused = reader.post("/data-policies", {"source": "x", "grade": "9"})
    assert (refused.status, "portal.log" in refused.text) == (400, True)
    assert 'name="mask_cn_mobile"' not in console.reader("analyst").get("/data-policies").text


def test_a_trace_says_what_it_found_and_never_puts_the_subject_into_an_address(
    console: ConsoleSite,
) -> None:
    reader = console.reader("analyst")
    assert 'method="post" action="/trace"' in reader.get("/trace").text
    found = reader.post("/trace", {"subject": "13800138000"})
    assert found.status == 200
    assert "没有痕迹" in found.text
    assert reader.post("/trace", {"subject": "x"}).status == 400


def test_an_original_is_asked_for_with_a_reason(console: ConsoleSite) -> None:
    reader = console.reader("analyst")
    place = f"/logs/events/{'0' * 64}/original"
    assert 'name="reason"' in reader.get(place).text
    assert reader.post(place, {"reason": "why"}).status == 404
    assert reader.post(place, {"reason": ""}).status == 400
