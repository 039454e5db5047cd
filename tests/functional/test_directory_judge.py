"""Signing in by OpenLDAP's own server: over LDAPS, over StartTLS, and where TLS is stripped."""

from __future__ import annotations

import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import Handshake, LdapSettings
from iam.service.upstream.kinds.ldap import LdapUpstream
from secops.adapters.outbound import OutboundClient, OutboundOptions
from tests.services.slapd import SLAPD, SUFFIX, Slapd

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(not SLAPD.exists(), reason="no OpenLDAP (Debian: slapd)"),
]
PEOPLE = f"ou=people,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
READS = b"reads only"
ENTRIES = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: county
o: county

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READS.decode()}

dn: cn=policy,{SUFFIX}
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

"""
PERSON = """dn: uid={uid},{people}
objectClass: countyPerson
uid: {uid}
cn: {cn}
sn: {cn}
employeeNumber: {number}
userPassword: right
{more}
"""
NAMES = {
    "zhang": "11010519491231002X",
    "li(dev)": "440301199001011234",
    "gone": "1",
    "disabled": "2",
    "frozen": "3",
    "twin": "4",
}


def people() -> str:
    made = [
        PERSON.format(
            uid=uid,
            people=PEOPLE,
            cn=f"person {uid}",
            number=number,
            more="userAccountControl: 514\n" if uid == "disabled" else "",
        )
        for uid, number in NAMES.items()
    ]
    other = f"dn: ou=other,{PEOPLE}\nobjectClass: organizationalUnit\nou: other\n\n"
    twin = PERSON.format(uid="twin", people=f"ou=other,{PEOPLE}", cn="another", number="5", more="")
    return ENTRIES + "\n".join(made) + "\n" + other + twin


@contextmanager
def running(*, tls: bool = True) -> Iterator[Slapd]:
    # a server without root's rights can't reach pytest's own folders
    folder = Path(tempfile.mkdtemp(prefix="slapd-"))
    server = Slapd(folder, people(), tls=tls)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    with running() as server:
        yield server


def upstream(server: Slapd, encryption: str, secret: bytes = READS, **more: Any) -> LdapUpstream:
    port = server.tls_port if encryption == "ldaps" else server.port
    chosen = {
        "port": port,
        "encryption": encryption,
        "search_filter": "(&(objectClass=inetOrgPerson)(uid={name}))",
        "id_number_attribute": "employeeNumber",
        **more,
    }
    out = OutboundClient(OutboundOptions(("localhost",), ca_file=str(server.authority)))
    return LdapUpstream(LdapSettings("localhost", PEOPLE, READER, **chosen), secret, out)


def asked(name: str, password: str = "right") -> tuple[Handshake, dict[str, str]]:
    handshake = Handshake("dir", "https://sso.example/cb", "state", "nonce", "verifier")
    return handshake, {"name": name, "password": password}


@pytest.mark.parametrize("encryption", ["ldaps", "starttls"])
def test_openldap_lets_the_right_person_in_and_nobody_else(slapd: Slapd, encryption: str) -> None:
    directory = upstream(slapd, encryption)
    assert [check.ok for check in directory.check()] == [True, True]
    proof = directory.complete(*asked("zhang"))
    assert (proof.id_number, proof.left) == (NAMES["zhang"], False)
    # entryUUID, as text: 36 letters of the server's own making
    assert len(bytes.fromhex(proof.subject).decode()) == 36
    assert directory.standing(proof.subject) == "active"
    assert directory.complete(*asked("li(dev)")).id_number == NAMES["li(dev)"]
    for name, password in (
        ("zhang", "wrong"),
        ("zhang", ""),
        ("nobody", "right"),
        ("*", "right"),
        ("zhang)(uid=*", "right"),
        ("twin", "right"),
    ):
        with pytest.raises(UpstreamRefused):
            directory.complete(*asked(name, password))


def test_this_server_does_let_an_empty_password_in() -> None:
    # RFC 4513 §5.1.2: why the client refuses it before anything is sent
    from iam.core.rfc4511.messages import bind_request  # noqa: PLC0415 - one use

    with pytest.raises(UpstreamRefused):
        bind_request(1, f"uid=zhang,{PEOPLE}", "")


@pytest.mark.parametrize("encryption", ["ldaps", "starttls"])
def test_disabled_frozen_and_removed_people_are_seen(slapd: Slapd, encryption: str) -> None:
    directory = upstream(slapd, encryption)
    assert directory.complete(*asked("disabled")).left
    assert directory.standing(directory.complete(*asked("disabled")).subject) == "left"
    name = "frozen" if encryption == "ldaps" else "gone"
    dn, subject = f"uid={name},{PEOPLE}", directory.complete(*asked(name)).subject
    if name == "frozen":
        slapd.change(
            f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\n"
            "pwdAccountLockedTime: 000001010000Z\n"
        )
        with pytest.raises(UpstreamRefused):
            directory.complete(*asked(name))
        return
    slapd.change(f"dn: {dn}\nchangetype: delete\n")
    assert directory.standing(subject) == "left"
    with pytest.raises(UpstreamRefused):
        directory.complete(*asked(name))


@pytest.mark.parametrize("encryption", ["ldaps", "starttls"])
def test_a_wrong_secret_or_an_untrusted_server_is_no_directory(
    slapd: Slapd, encryption: str
) -> None:
    (check,) = upstream(slapd, encryption, b"wrong").check()
    assert (check.ok, "searching account" in check.why) == (False, True)
    doubting = upstream(slapd, encryption)
    doubting._outbound = OutboundClient(OutboundOptions(("localhost",)))
    with pytest.raises(UpstreamDown):
        doubting.complete(*asked("zhang"))


def test_a_server_without_tls_gets_no_password() -> None:
    with running(tls=False) as bare:
        directory = upstream(bare, "starttls")
        (check,) = directory.check()
        assert (check.ok, "nothing is sent in clear" in check.why) == (False, True)
        with pytest.raises(UpstreamDown, match="in clear"):
            directory.complete(*asked("zhang"))


# between us and the server


class Stripper:
    """Sits between: passes bytes on, and bends the server's first answer."""

    def __init__(
        self, port: int, before: bytes = b"", behind: bytes = b"", answer: bytes = b""
    ) -> None:
        self._target, self._before, self._behind, self._answer = port, before, behind, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.seen = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                client.settimeout(5)
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        try:
            said = client.recv(4_096)
            self.seen += said
            if self._answer:
                client.sendall(self._answer)
            else:
                server.sendall(said)
                client.sendall(self._before + server.recv(4_096) + self._behind)
            while more := client.recv(4_096):
                self.seen += more
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


BIND_SUCCESS = bytes.fromhex("300c02010161070a010004000400")
BENT: dict[str, dict[str, bytes]] = {
    "a success injected behind": {"behind": BIND_SUCCESS},
    "a success injected before": {"before": BIND_SUCCESS},
    "no TLS here, says somebody": {
        "answer": bytes.fromhex("300c02010178070a010204000400"),
    },
    "a bind's success instead": {"answer": BIND_SUCCESS},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
def test_whoever_strips_tls_on_the_way_sees_no_password(
    slapd: Slapd, bent: dict[str, bytes]
) -> None:
    stripper = Stripper(slapd.port, **bent)
    try:
        directory = upstream(slapd, "starttls", port=stripper.port)
        with pytest.raises((UpstreamDown, UpstreamRefused)):
            directory.complete(*asked("zhang"))
    finally:
        stripper.close()
    assert (READS in stripper.seen, b"right" in stripper.seen) == (False, False)
    # all that was said in clear is the wish to begin TLS, or a handshake's records
    assert b"1.3.6.1.4.1.1466.20037" in stripper.seen


def test_the_judge_checks_names_of_certificates(slapd: Slapd) -> None:
    trusting = ssl.create_default_context(cafile=str(slapd.authority))
    with socket.create_connection(("127.0.0.1", slapd.tls_port)) as raw:  # noqa: SIM117 - two errors
        with pytest.raises(ssl.SSLCertVerificationError):
            trusting.wrap_socket(raw, server_hostname="elsewhere.example")
