"""The page of log sources: registered, changed, removed, silent ones first."""

from __future__ import annotations

from tests.fakes.console_site import ConsoleSite


def test_a_source_is_registered_changed_and_removed_in_the_page(console: ConsoleSite) -> None:
    reader = console.reader("system-admin")
    fresh = {
        "name": "page-fw",
        "do": "add",
        "format": "keyvalue",
        "peers": "10.1.2.3",
        "expected_silence": "600",
    }
    assert reader.post("/log-sources", fresh).status == 303
    shown = reader.get("/log-sources").text
    assert "page-fw" in shown
    assert "600" in shown

    change = {"name": "page-fw", "do": "change", "owner": "net <team>", "expected_silence": "0"}
    assert reader.post("/log-sources", change).status == 303
    shown = reader.get("/log-sources").text
    assert "net &lt;team&gt;" in shown
    assert ">600<" not in shown

    for wrong in (
        {"name": "page-fw", "do": "add"},
        {"name": "page-fw", "do": "change", "peers": "nonsense"},
        {"name": "page-fw", "do": "change", "expected_silence": "soon"},
        {"name": "nothing", "do": "remove"},
    ):
        refused = reader.post("/log-sources", wrong)
        assert (400 <= refused.status < 500, "page-fw" in refused.text) == (True, True)

    assert reader.post("/log-sources", {"name": "page-fw", "do": "remove"}).status == 303
    assert "page-fw" not in reader.get("/log-sources").text


def test_who_may_only_read_sees_no_form(console: ConsoleSite) -> None:
    reader = console.reader("analyst")
    assert 'action="/log-sources"' not in reader.get("/log-sources").text
    assert reader.post("/log-sources", {"name": "x", "do": "add"}).status == 403
    assert reader.get("/log-sources?format=csv").status == 200
