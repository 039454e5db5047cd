"""An LDAP directory whose BER is asn1tools', after the text of RFC 4511."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import asn1tools

from secops.kernel.errors import Unavailable

SPECIFICATION = """
LDAP DEFINITIONS IMPLICIT TAGS ::= BEGIN
LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp CHOICE {
    bindRequest BindRequest, bindResponse BindResponse, unbindRequest UnbindRequest,
    searchRequest SearchRequest, searchResEntry SearchResultEntry,
    searchResDone SearchResultDone, searchResRef SearchResultReference,
    extendedReq ExtendedRequest, extendedResp ExtendedResponse } }
ExtendedRequest ::= [APPLICATION 23] SEQUENCE { requestName [0] OCTET STRING,
    requestValue [1] OCTET STRING OPTIONAL }
ExtendedResponse ::= [APPLICATION 24] SEQUENCE { resultCode Result, matchedDN OCTET STRING,
    diagnosticMessage OCTET STRING, responseName [10] OCTET STRING OPTIONAL }
BindRequest ::= [APPLICATION 0] SEQUENCE { version INTEGER, name OCTET STRING,
    authentication CHOICE { simple [0] OCTET STRING } }
Result ::= ENUMERATED { success (0), protocolError (2), sizeLimitExceeded (4), noSuchObject (32),
    invalidCredentials (49), busy (51) }
BindResponse ::= [APPLICATION 1] SEQUENCE { resultCode Result, matchedDN OCTET STRING,
    diagnosticMessage OCTET STRING }
UnbindRequest ::= [APPLICATION 2] NULL
SearchRequest ::= [APPLICATION 3] SEQUENCE { baseObject OCTET STRING,
    scope ENUMERATED { base (0), one (1), subtree (2) },
    derefAliases ENUMERATED { never (0), searching (1), finding (2), always (3) },
    sizeLimit INTEGER, timeLimit INTEGER, typesOnly BOOLEAN, filter Filter,
    attributes SEQUENCE OF OCTET STRING }
Filter ::= CHOICE { and [0] SET OF Filter, or [1] SET OF Filter, not [2] EXPLICIT Filter,
    equalityMatch [3] SEQUENCE { attributeDesc OCTET STRING, assertionValue OCTET STRING },
    present [7] OCTET STRING }
SearchResultEntry ::= [APPLICATION 4] SEQUENCE { objectName OCTET STRING,
    attributes SEQUENCE OF SEQUENCE { type OCTET STRING, vals SET OF OCTET STRING } }
SearchResultReference ::= [APPLICATION 19] SEQUENCE OF OCTET STRING
SearchResultDone ::= [APPLICATION 5] SEQUENCE { resultCode Result, matchedDN OCTET STRING,
    diagnosticMessage OCTET STRING }
END
"""
BASE = "ou=people,dc=county"
BINDER = "cn=reader,dc=county"
BINDER_PASSWORD = "reads-only"


@functools.cache
def ldap_module() -> Any:
    return asn1tools.compile_string(SPECIFICATION, "ber")


@dataclass
class FakeDirectory:
    """``entries``: DN to (password, attributes). ``said`` are the operations it got.

    ``unauthenticated`` answers success to a bind without a password, as RFC 4513 §5.1.2 lets it.
    """

    entries: dict[str, tuple[str, dict[str, list[bytes]]]] = field(default_factory=dict)
    said: list[tuple[str, Any]] = field(default_factory=list)
    unauthenticated: bool = True
    extra: list[bytes] = field(default_factory=list)
    result: str = "success"
    start_tls: str = "success"
    start_tls_name: bytes | None = b"1.3.6.1.4.1.1466.20037"
    injected: bytes = b""
    piece: int = 7
    in_clear: list[str] = field(default_factory=list)

    def connect(self) -> FakeConnection:
        return FakeConnection(self)

    def answer(self, message: dict[str, Any]) -> list[tuple[str, Any]]:
        kind, operation = message["protocolOp"]
        self.said.append((kind, operation))
        if kind == "extendedReq":
            assert operation == {"requestName": b"1.3.6.1.4.1.1466.20037"}
            answer = _result(self.start_tls)
            if self.start_tls_name is not None:
                answer["responseName"] = self.start_tls_name
            return [("extendedResp", answer)]
        if kind == "bindRequest":
            return [("bindResponse", _result(self._bind(operation)))]
        if kind == "searchRequest":
            hits = [
                (name, attributes)
                for name, (_, attributes) in self.entries.items()
                if matches(operation["filter"], attributes)
            ]
            found = [("searchResEntry", _entry(*hit)) for hit in hits[: operation["sizeLimit"]]]
            over = len(hits) > operation["sizeLimit"]
            done = "sizeLimitExceeded" if over else self.result
            return [*found, ("searchResDone", _result(done))]
        return []

    def _bind(self, operation: dict[str, Any]) -> str:
        name, password = operation["name"].decode(), operation["authentication"][1].decode()
        if not password:
            return "success" if self.unauthenticated else "invalidCredentials"
        if (name, password) == (BINDER, BINDER_PASSWORD):
            return "success"
        known = self.entries.get(name)
        disabled = known is not None and known[1].get("userAccountControl") == [b"514"]
        right = known is not None and known[0] == password and not disabled
        return "success" if right else "invalidCredentials"


@dataclass
class FakeConnection:
    """A stream that answers a few bytes at a time."""

    directory: FakeDirectory
    waiting: bytes = b""
    closed: bool = False
    tls: bool = False

    def begin_tls(self) -> None:
        """Whatever was said in clear and not read is garbage to a handshake."""
        if self.waiting:
            raise Unavailable("SSLError")
        self.tls = True

    def send(self, content: bytes) -> None:
        message = ldap_module().decode("LDAPMessage", content)
        if not self.tls:
            self.directory.in_clear.append(message["protocolOp"][0])
        if self.directory.extra:
            self.waiting += self.directory.extra.pop(0)
        for operation in self.directory.answer(message):
            number = message["messageID"]
            self.waiting += ldap_module().encode(
                "LDAPMessage", {"messageID": number, "protocolOp": operation}
            )
        if message["protocolOp"][0] == "extendedReq":
            self.waiting += self.directory.injected

    def receive(self, limit: int) -> bytes:
        assert not self.closed
        size = min(limit, self.directory.piece)
        given, self.waiting = self.waiting[:size], self.waiting[size:]
        if not given:
            raise Unavailable("hung up")
        return given

    def close(self) -> None:
        self.closed = True


def matches(wanted: tuple[str, Any], attributes: dict[str, list[bytes]]) -> bool:
    kind, content = wanted
    if kind == "and":
        return all(matches(part, attributes) for part in content)
    if kind == "or":
        return any(matches(part, attributes) for part in content)
    if kind == "not":
        return not matches(content, attributes)
    if kind == "present":
        return content.decode() in attributes
    name = content["attributeDesc"].decode()
    return content["assertionValue"] in attributes.get(name, [])


def _entry(name: str, attributes: dict[str, list[bytes]]) -> dict[str, Any]:
    listed = [{"type": key.encode(), "vals": values} for key, values in attributes.items()]
    return {"objectName": name.encode(), "attributes": listed}


def _result(code: str) -> dict[str, Any]:
    return {"resultCode": code, "matchedDN": b"", "diagnosticMessage": b""}


def person(uid: str, uuid: bytes, **more: bytes) -> dict[str, list[bytes]]:
    """The attributes of one entry."""
    made = {"objectClass": [b"person"], "uid": [uid.encode()], "entryUUID": [uuid]}
    return made | {name: [value] for name, value in more.items()}


def ldap_document(trust: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The county's configuration of its directory."""
    made = {
        "host": "ldap.county.example",
        "base_dn": BASE,
        "bind_dn": BINDER,
        "id_number_attribute": "employeeNumber",
        **settings,
    }
    return {"kind": "ldap", "title": "县目录", "settings": made, "trust": trust}
