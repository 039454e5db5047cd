"""Paths that two servers could read in two ways never pass, and sites end at whole segments."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.forward_auth.sites import MAX_URI, canonical_path, covers, host_of, site_of
from iam.errors import PathRefused
from iam.models.sites import Site

REPORTS = Site(
    "reports", "https", "app.example", "/reports/", "https://app.example/reports/_secops/callback"
)
AMBIGUOUS = [
    "/reports/../admin",
    "/reports/./x",
    "/reports/..",
    "/reports/.",
    "/reports//admin",
    "//evil.example/x",
    "/reports/%2e%2e/admin",
    "/reports/%2E%2E/admin",
    "/reports/.%2e/admin",
    "/reports/..%2fadmin",
    "/reports%2f..%2fadmin",
    "/reports%2Fadmin",
    "/reports/..;/admin",
    "/reports/..;x=1/admin",
    "/reports/.;/admin",
    "/reports/;/admin",
    "/reports/%2e%2e;/admin",
    "/reports/.. /admin",
    "/reports/%2e%2e%20/admin",
    "/reports/..\\admin",
    "/reports/..%5cadmin",
    "/reports\\..\\admin",
    "/reports/%252e%252e/admin",
    "/reports/%252fadmin",
    "/reports/%25%32%65%25%32%65/admin",
    "/reports/%00",
    "/reports/a%0d%0aset-cookie:x",
    "/reports/%7f",
    "/reports/%c2%85",
    "/reports/%c0%ae%c0%ae/admin",
    "/reports/%ff",
    "/reports/%",
    "/reports/%g1",
    "/reports/%2",
    "/reports/%u002e%u002e/admin",
    "/reports/#/../admin",
    "/reports/%2e",
    "/reports/ x",
    "/reports/\tx",
    "/reports/\x00",
    "/reports/人",
    "reports/",
    "",
    "http://app.example/reports/",
    "*",
    "/" + "a" * MAX_URI,
]


@pytest.mark.parametrize("uri", AMBIGUOUS)
def test_a_path_that_can_be_read_in_two_ways_is_refused(uri: str) -> None:
    with pytest.raises(PathRefused):
        canonical_path(uri)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/", "/"),
        ("/reports/", "/reports/"),
        ("/reports/a.b/..c/d...", "/reports/a.b/..c/d..."),
        ("/reports/%E6%8A%A5%E8%A1%A8", "/reports/报表"),
        ("/reports/a%20b?to=/../x%2f%00", "/reports/a b"),
        ("/reports/page;v=1/x", "/reports/page;v=1/x"),
    ],
)
def test_a_plain_path_is_decoded_once_and_its_query_is_not_looked_at(uri: str, path: str) -> None:
    assert canonical_path(uri) == path


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_accepted_reads_the_same_after_quoting_again(text: str) -> None:
    uri = "/" + quote(text, safe="/;.%\\")
    try:
        path = canonical_path(uri)
    except PathRefused:
        return
    assert canonical_path(quote(path, safe="/;=&+:@,$!*'()")) == path
    assert ".." not in path.split("/")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/reports/", True),
        ("/reports", True),
        ("/reports/2026/q1", True),
        ("/reports2/x", False),
        ("/report", False),
        ("/Reports/", False),
        ("/", False),
    ],
)
def test_a_site_covers_whole_segments(path: str, *, inside: bool) -> None:
    assert covers(REPORTS, path) is inside


@pytest.mark.parametrize(
    ("written", "scheme", "host"),
    [
        ("App.Example", "https", "app.example"),
        ("app.example:443", "https", "app.example"),
        ("app.example:8443", "https", "app.example:8443"),
        ("app.example:443", "http", "app.example:443"),
        ("[::1]:8090", "http", "[::1]:8090"),
    ],
)
def test_a_host_has_one_form(written: str, scheme: str, host: str) -> None:
    assert host_of(written, scheme) == host


@pytest.mark.parametrize(
    "written", ["", "a b", "app.example/x", "user@app.example", "a\r\nb", "人"]
)
def test_what_is_no_host_name_is_refused(written: str) -> None:
    with pytest.raises(PathRefused):
        host_of(written, "https")


def test_the_redirect_uri_registers_host_and_prefix() -> None:
    assert site_of("reports", REPORTS.redirect_uri) == REPORTS
    root = site_of("portal", "http://127.0.0.1:8090/_secops/callback")
    assert root is not None
    assert (root.host, root.prefix) == ("127.0.0.1:8090", "/")


@pytest.mark.parametrize(
    "uri", ["https://app.example/cb", "https://app.example/_secops/callback?x=1"]
)
def test_an_ordinary_redirect_uri_registers_no_site(uri: str) -> None:
    assert site_of("app", uri) is None
