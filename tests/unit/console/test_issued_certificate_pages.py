"""Pages of certificates and of trust anchors, without a browser: asked, decided, issued, ended."""

from __future__ import annotations

import base64
import csv
import io
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from secops.kernel.clock import DAY, SystemClock
from tests.fakes.certificate_house import OutsideCa, csr
from tests.fakes.console_site import ConsoleSite, Page

HOST = "bsdt.example.gov.cn"


def pem(encoded: bytes, label: str) -> str:
    body = base64.encodebytes(encoded).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


def location(page: Page) -> str:
    assert page.status == 303, page.text
    return page.headers["location"]


def ask(console: ConsoleSite, host: str = HOST, **more: str) -> str:
    """Ask for a server's certificate on the page, and return the request's address."""
    wish = pem(csr(None, host, common_name=host), "CERTIFICATE REQUEST")
    form = {"profile": "tls_server", "csr": wish, "reason": "办事<i>大厅</i>", **more}
    assert location(console.reader("integrator").post("/certificates/request", form)) == (
        "/certificates"
    )
    seen = console.reader("security-admin").get("/certificates").text
    return re.findall(r"/certificates/requests/crq_\w+", seen.partition(f"<h3>{host}")[2])[0]


def issue(console: ConsoleSite, host: str = HOST, **more: str) -> str:
    where, security = ask(console, host, **more), console.reader("security-admin")
    location(security.post(f"{where}/decide", {"decision": "grant", "reason": "同意"}))
    return location(security.post(f"{where}/issue"))


def test_a_card_shows_exactly_what_is_approved(console: ConsoleSite) -> None:
    where = ask(console, "card.example.gov.cn")
    seen = console.reader("security-admin").get("/certificates").text
    for text in ("O=请求里的单位, OU=测试/内部用, CN=card.example.gov.cn", "ecdsa-p256 · SHA-256"):
        assert text in seen
    assert "办事&lt;i&gt;大厅&lt;/i&gt;" in seen
    assert "<code>dns:card.example.gov.cn</code>" in seen
    assert where not in console.reader("integrator").get("/certificates").text
    assert '"/certificates"' in console.reader("security-admin").get("/approvals").text
    refused = console.reader("integrator").post(f"{where}/decide", {"decision": "grant"})
    assert refused.status == 403
    security = console.reader("security-admin")
    assert security.post(f"{where}/decide", {"reason": "x"}).status == 400
    assert security.post(f"{where}/issue").status == 409
    location(security.post(f"{where}/decide", {"decision": "reject", "reason": "不符"}))
    assert where not in security.get("/certificates").text


def test_one_is_issued_fetched_renewed_and_revoked(console: ConsoleSite) -> None:
    where = issue(console)
    owner = console.reader("integrator")
    page = owner.get(where).text
    assert "内置测试文档根 CA" in page
    found = x509.load_pem_x509_certificates(owner.get(f"{where}/file").body)
    assert [each.issuer for each in found] == [found[1].subject] * 2
    assert f"/certificates?renews={where.rpartition('/')[2]}" in page
    second = issue(console, renews=where.rpartition("/")[2])
    assert where in owner.get(second).text
    assert owner.post(f"{where}/revoke", {"reason": "why"}).status == 400
    assert location(owner.post(f"{where}/revoke", {"reason": "superseded"})) == where
    ended = owner.get(where).text
    assert "已被替换" in ended
    assert f"{where}/revoke" not in ended


def test_the_list_is_searched_and_exported(console: ConsoleSite) -> None:
    issue(console, "export.example.gov.cn")
    reader = console.reader("auditor")
    rows = list(
        csv.reader(
            io.StringIO(reader.get("/certificates?q=export&format=csv").text.lstrip("\ufeff"))
        )
    )
    assert [row[0].partition(",")[0] for row in rows[1:]] == ["CN=export.example.gov.cn"]
    revoked = reader.get("/certificates?state=revoked&kind=tls_server").text
    assert "CN=export.example.gov.cn" not in revoked
    assert "CN=export.example.gov.cn" in reader.get("/certificates?state=valid&sort=until").text


def believed(console: ConsoleSite, ca: OutsideCa) -> str:
    """Propose ``ca`` on the page, and return the anchor's address."""
    form = {"certificate": pem(ca.root, "CERTIFICATE"), "use_seals": "on", "reason": "持牌机构"}
    assert location(console.reader("system-admin").post("/trust-anchors", form)) == "/trust-anchors"
    seen = console.reader("security-admin").get("/trust-anchors").text
    return re.findall(r"/trust-anchors/anc_\w+", seen)[0]


@pytest.fixture
def ca() -> OutsideCa:
    now = SystemClock().now()
    return OutsideCa.new("省电子认证", not_before=now - DAY, not_after=now + 100 * DAY)


def test_an_anchor_is_decided_on_a_card_and_retired(console: ConsoleSite, ca: OutsideCa) -> None:
    where, security = believed(console, ca), console.reader("security-admin")
    card = security.get("/trust-anchors").text
    assert "制章与用章" in card
    assert x509.load_der_x509_certificate(ca.root).fingerprint(SHA256()).hex() in card
    assert console.reader("system-admin").post(f"{where}/decide", {}).status == 403
    assert security.post(f"{where}/decide", {"reason": "x"}).status == 400
    location(security.post(f"{where}/decide", {"decision": "grant", "reason": "指纹核对"}))
    assert security.post(f"{where}/list").status == 400
    listed = ca.revocation_list(7, at=SystemClock().now() - DAY)
    location(security.upload(f"{where}/list", {}, {"list": listed}))
    location(security.post(f"{where}/retire", {"reason": "期满"}))
    assert where not in security.get("/trust-anchors").text
    assert "已停用" in console.reader("auditor").get("/trust-anchors").text
