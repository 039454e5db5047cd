"""LDAP that begins TLS on the way (RFC 4511 §4.14, RFC 4513 §3), and how it is stripped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from iam.core.rfc4511.messages import (
    Message,
    read_message,
    require_start_tls,
    start_tls_request,
)
from iam.core.upstream_plan import make_plan
from iam.errors import UpstreamDown, UpstreamInvalid, UpstreamRefused
from iam.models.upstream import Handshake, LdapSettings
from iam.ports import Negotiate, Stream
from iam.service.upstream.kinds.ldap import LdapUpstream
from tests.fakes.directory import (
    BASE,
    BINDER,
    BINDER_PASSWORD,
    FakeDirectory,
    ldap_document,
    ldap_module,
    person,
)

SETTINGS = LdapSettings("ldap.example", BASE, BINDER, port=389, encryption="starttls")
ZHANG = f"uid=zhang,{BASE}"
ASKED = {"name": "zhang", "password": "right"}
OID = b"1.3.6.1.4.1.1466.20037"


@dataclass
class Way:
    """The way out to one directory."""

    directory: FakeDirectory

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> Stream:
        assert (host, port, timeout) == ("ldap.example", 389, 10.0)
        stream = self.directory.connect()
        if negotiate is not None:
            negotiate(stream)
        stream.begin_tls()
        return stream

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        raise NotImplementedError

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        raise NotImplementedError


def directory(**bent: Any) -> FakeDirectory:
    entries = {ZHANG: ("right", person("zhang", b"\x01" * 16))}
    return FakeDirectory(entries=entries, **bent)


def upstream(found: FakeDirectory) -> LdapUpstream:
    return LdapUpstream(SETTINGS, BINDER_PASSWORD.encode(), Way(found))


def handshake() -> Handshake:
    return Handshake("dir", "https://sso.example/cb", "state", "nonce", "verifier")


def test_passwords_go_only_through_tls() -> None:
    found = directory()
    proof = upstream(found).complete(handshake(), ASKED)
    assert proof.issuer == f"ldap://ldap.example:389/{BASE}"
    assert found.in_clear == ["extendedReq", "extendedReq"]
    assert [kind for kind, _ in found.said] == [
        *("extendedReq", "bindRequest", "searchRequest", "unbindRequest"),
        *("extendedReq", "bindRequest", "unbindRequest"),
    ]


def bind_response(number: int, code: str = "success") -> bytes:
    result = {"resultCode": code, "matchedDN": b"", "diagnosticMessage": b""}
    message = {"messageID": number, "protocolOp": ("bindResponse", result)}
    encoded: bytes = ldap_module().encode("LDAPMessage", message)
    return encoded


STRIPPED: dict[str, dict[str, Any]] = {
    "the directory has no TLS": {"start_tls": "protocolError"},
    "somebody on the way says it is busy": {"start_tls": "busy"},
    "another operation's name": {"start_tls_name": b"1.3.6.1.4.1.4203.1.11.3"},
    # what is sent in clear behind the answer must not be read as if it came through TLS
    "an injected answer at once": {"injected": bind_response(1), "piece": 4_096},
    "an injected answer later": {"injected": bind_response(1)},
    "half an injected answer": {"injected": b"\x30", "piece": 4_096},
    "an answer to something else before": {"extra": [bind_response(1)]},
    "an answer of another number": {"extra": [bind_response(7)]},
    "a notice of disconnection": {"extra": [bind_response(0)]},
    "garbage": {"extra": [b"HTTP/1.1 400 Bad Request\r\n\r\n"]},
}


@pytest.mark.parametrize("bent", STRIPPED.values(), ids=STRIPPED)
def test_where_tls_is_stripped_no_password_is_sent(bent: dict[str, Any]) -> None:
    found = directory(**{**bent, "extra": list(bent.get("extra", ()))})
    with pytest.raises((UpstreamDown, UpstreamRefused)):
        upstream(found).complete(handshake(), ASKED)
    assert found.in_clear == ["extendedReq"]
    assert [kind for kind, _ in found.said] == ["extendedReq"]


def test_where_tls_is_stripped_the_check_says_so_and_nobody_has_left() -> None:
    found = directory(start_tls="protocolError")
    (check,) = upstream(found).check()
    assert (check.ok, "nothing is sent in clear" in check.why) == (False, True)
    assert upstream(found).standing("01" * 16) == "unknown"
    assert set(found.in_clear) == {"extendedReq"}


def test_an_answer_without_a_name_is_enough() -> None:
    # the name is optional (RFC 4511 §4.12)
    assert upstream(directory(start_tls_name=None)).complete(handshake(), ASKED).subject


def test_the_request_is_what_the_standard_says() -> None:
    read = ldap_module().decode("LDAPMessage", start_tls_request(1))
    assert read == {"messageID": 1, "protocolOp": ("extendedReq", {"requestName": OID})}


@pytest.mark.parametrize(
    "message",
    [
        Message(1, 0x61, bytes.fromhex("0a010004000400")),
        Message(1, 0x78, bytes.fromhex("0a010104000400")),
        Message(1, 0x78, bytes.fromhex("0201000400")),
        Message(1, 0x78, bytes.fromhex("0a010004000400") + b"\x8a\x01x"),
        Message(1, 0x78, bytes.fromhex("0a010004000400") + b"\x8a\x09x"),
        Message(1, 0x78, b""),
    ],
    ids=["bind", "refused", "no result", "another name", "cut off", "empty"],
)
def test_only_a_yes_begins_tls(message: Message) -> None:
    with pytest.raises(UpstreamRefused):
        require_start_tls(message)


def test_a_yes_of_another_encoder_begins_tls() -> None:
    result = {"resultCode": "success", "matchedDN": b"", "diagnosticMessage": b"ok"}
    encoded = ldap_module().encode(
        "LDAPMessage",
        {"messageID": 1, "protocolOp": ("extendedResp", {**result, "responseName": OID})},
    )
    require_start_tls(read_message(encoded))


@pytest.mark.parametrize("word", ["none", "plain", "", "STARTTLS", "tls"])
def test_there_is_no_directory_without_encryption(word: str) -> None:
    with pytest.raises(UpstreamInvalid, match="starttls"):
        make_plan("dir", ldap_document({"link_by": ["cn-id"]}, encryption=word))
    plan = make_plan("dir", ldap_document({"link_by": ["cn-id"]}, encryption="starttls", port=389))
    assert isinstance(plan.settings, LdapSettings)
    assert plan.settings.encryption == "starttls"
