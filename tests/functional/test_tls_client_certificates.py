"""``secops serve`` asks for client certificates in its own TLS: who signs in with one, who not."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from iam.models.factors import NewBinding
from secops.app import open_house
from secops.kernel.clock import SystemClock
from tests.fakes.certificate_office import WesternOffice, header
from tests.fakes.demo_site import make_demo_home
from tests.functional.test_serving import Running, self_signed, served

pytestmark = pytest.mark.service
HEADER = "X-Secops-Client-Certificate"


@dataclass
class Staged:
    """A running server, its own certificate, and who has which certificate as files."""

    running: Running
    folder: Path
    known: bytes

    def context(self, name: str = "") -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        if name:
            made.load_cert_chain(str(self.folder / f"{name}.pem"))
        return made


@dataclass
class Visitor:
    """A browser over one TLS context; ``jar`` are its cookies."""

    staged: Staged
    tls: ssl.SSLContext
    jar: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """Status, where to, and the page."""
        port = self.staged.running.port
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=self.tls)
        try:
            sent = {"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items()), **headers}
            connection.request("GET", path, headers=sent)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.jar[key] = rest.partition(";")[0]
            return answer.status, answer.getheader("location") or "", answer.read().decode()
        finally:
            connection.close()

    def transaction(self) -> str:
        _, where, _ = self.get("/signin?next=/")
        while "/login?" not in where:
            parts = urlsplit(where)
            _, where, _ = self.get(f"{parts.path}?{parts.query}")
        return parse_qs(urlsplit(where).query)["transaction"][0]

    def sign_in(self, **headers: str) -> tuple[int, str]:
        status, where, page = self.get(
            f"/login/certificate?transaction={self.transaction()}", **headers
        )
        title = re.search(r"<strong>(.*?)</strong>", page)
        return status, where or (title[1] if title else "")


def write_pair(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, encoded: bytes) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = load_der_x509_certificate(encoded).public_bytes(Encoding.PEM)
    (folder / f"{name}.pem").write_bytes(private + public)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    folder = tmp_path_factory.mktemp("tls")
    home = folder / "home"
    make_demo_home(home)
    office, strange = (WesternOffice(SystemClock().now()) for _ in range(2))
    known, unknown, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    bound = office.issue(known)
    write_pair(folder, "known", known, bound)
    write_pair(folder, "unknown", unknown, office.issue(unknown))
    write_pair(folder, "strange", theirs, strange.issue(theirs))
    for name, content in (("roots", office.roots()[0]), ("crl", office.revocation_lists()[0])):
        (home / "trust" / name).mkdir(parents=True)
        (home / "trust" / name / "office.der").write_bytes(content)
    (home / "clients.pem").write_bytes(office.root.public_bytes(Encoding.PEM))
    house = open_house(home)
    actor, service = house.iam.actors.by_account, house.iam.certificates
    new = NewBinding("analyst", bound, "UKey", token_held=True)
    approval = service.request_binding(actor("system-admin"), new, "new UKey")
    service.approve_binding(actor("security-admin"), approval, grant=True)
    service.bind_certificate(actor("system-admin"), new, approval)
    house.close()
    certificate, key = self_signed(folder)
    chosen = {
        "SECOPS_TLS_CERT": str(certificate),
        "SECOPS_TLS_KEY": str(key),
        "SECOPS_TLS_CLIENT_CA": "clients.pem",
    }
    with served(home, **chosen) as running:
        yield Staged(running, folder, bound)
        assert running.stop()[0] == 0


@pytest.mark.usefixtures("openssl_command")
def test_who_presents_a_bound_certificate_is_signed_in(staged: Staged) -> None:
    visitor = Visitor(staged, staged.context("known"))
    status, where = visitor.sign_in()
    assert (status, urlsplit(where).path) == (303, "/oauth2/authorize")
    while "__Host-rp_session" not in visitor.jar:
        parts = urlsplit(where)
        _, where, _ = visitor.get(f"{parts.path}?{parts.query}")
    assert "analyst" in visitor.get("/me/factors")[2]


@pytest.mark.usefixtures("openssl_command")
def test_who_presents_none_is_served_and_asked_for_another_proof(staged: Staged) -> None:
    status, found = Visitor(staged, staged.context()).sign_in()
    assert (status, found) == (200, "")


@pytest.mark.usefixtures("openssl_command")
def test_a_certificate_that_nobody_bound_signs_nobody_in(staged: Staged) -> None:
    assert Visitor(staged, staged.context("unknown")).sign_in() == (401, "证书登录未被接受")


@pytest.mark.usefixtures("openssl_command")
def test_a_certificate_of_another_ca_does_not_pass_the_handshake(staged: Staged) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        Visitor(staged, staged.context("strange")).get("/healthz")


@pytest.mark.usefixtures("openssl_command")
def test_what_a_client_says_of_itself_is_thrown_away(staged: Staged) -> None:
    now = SystemClock().now()
    host = f"localhost:{staged.running.port}"
    for key in (b"", b"guessed", bytes(32)):
        said = {HEADER: header(staged.known, key, now, host=host)}
        # without a certificate nothing is said; with one, only what the handshake proved
        assert Visitor(staged, staged.context()).sign_in(**said) == (200, "")
        refused = Visitor(staged, staged.context("unknown")).sign_in(**said)
        assert refused == (401, "证书登录未被接受")


@pytest.mark.usefixtures("openssl_command")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_a_resumed_session_proves_no_key(staged: Staged, version: ssl.TLSVersion) -> None:
    tls = staged.context("known")
    tls.minimum_version = tls.maximum_version = version
    visitor = Visitor(staged, staged.context())
    path = f"/login/certificate?transaction={visitor.transaction()}"
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.jar.items())
    asked = f"GET {path} HTTP/1.1\r\nhost: localhost:{staged.running.port}\r\ncookie: {cookies}\r\n"
    found = []
    session = None
    for _ in range(2):
        raw = socket.create_connection(("127.0.0.1", staged.running.port), timeout=20)
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as wrapped:
            wrapped.sendall(f"{asked}\r\n".encode())
            status = int(wrapped.recv(12).split()[1])
            found.append((wrapped.session_reused, status))
            session = wrapped.session
            assert session is None or not session.has_ticket
    assert found[0] == (False, 303)
    # a handshake of its own proves the key again; a resumed one proves nothing
    assert found[1] in ((False, 303), (True, 200))
