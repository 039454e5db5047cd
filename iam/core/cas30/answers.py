"""What a CAS server writes (CAS Protocol 3.0 §2.5, §2.3.3), as XML or JSON: every text escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.sax.saxutils import escape, quoteattr

import orjson

FailureCode = Literal[
    "INVALID_REQUEST",
    "INVALID_TICKET_SPEC",
    "UNAUTHORIZED_SERVICE_PROXY",
    "INVALID_TICKET",
    "INVALID_SERVICE",
    "INTERNAL_ERROR",
]
_SPACE: Final = 'xmlns:cas="http://www.yale.edu/tp/cas"'
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: ``code`` None for a good ticket, else the reason in the protocol's words.

    ``attributes`` None is the form of CAS 2.0.
    """

    code: FailureCode | None = None
    why: str = ""
    user: str = ""
    attributes: Mapping[str, Sequence[str]] | None = None


def wants_json(parameters: Mapping[str, str]) -> bool:
    """Tell whether a question asks for JSON (§2.5.1): the default is XML."""
    return parameters.get("format", "").upper() == "JSON"


def write_answer(told: Told, *, as_json: bool) -> bytes:
    """Return an answer in the form that was asked for."""
    if as_json:
        return _json(told)
    if told.code is not None:
        return failure(told.code, told.why)
    return success(told.user, told.attributes)


def _json(told: Told) -> bytes:
    """Return an answer as JSON; every attribute is a list, also of one value."""
    if told.code is not None:
        body = {"authenticationFailure": {"code": told.code, "description": told.why}}
        return orjson.dumps({"serviceResponse": body})
    whole: dict[str, Any] = {"user": _UNWRITABLE.sub("�", told.user)}
    if told.attributes is not None:
        whole["attributes"] = {name: list(values) for name, values in told.attributes.items()}
    return orjson.dumps({"serviceResponse": {"authenticationSuccess": whole}})


def success(user: str, attributes: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """Return the answer to a good ticket; without ``attributes`` in the form of CAS 2.0.

    An attribute is one element a value.
    """
    told = "".join(
        f"<cas:{name}>{_text(value)}</cas:{name}>"
        for name, values in (attributes or {}).items()
        for value in values
        if _NAME.fullmatch(name)
    )
    group = f"<cas:attributes>{told}</cas:attributes>" if attributes is not None else ""
    body = f"<cas:user>{_text(user)}</cas:user>{group}"
    return _response(f"<cas:authenticationSuccess>{body}</cas:authenticationSuccess>")


def failure(code: FailureCode, why: str) -> bytes:
    """Return the answer to everything else."""
    return _response(
        f"<cas:authenticationFailure code={quoteattr(code)}>{_text(why)}"
        "</cas:authenticationFailure>"
    )


def logout_request(identifier: str, instant: str, ticket: str) -> str:
    """Return the SAML LogoutRequest that tells a service of a session's end (§2.3.3)."""
    return (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
        f' ID={quoteattr(identifier)} Version="2.0" IssueInstant={quoteattr(instant)}>'
        '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@NOT_USED@</saml:NameID>'
        f"<samlp:SessionIndex>{_text(ticket)}</samlp:SessionIndex></samlp:LogoutRequest>"
    )


def _response(body: str) -> bytes:
    return f"<cas:serviceResponse {_SPACE}>{body}</cas:serviceResponse>".encode()


def _text(value: str) -> str:
    return escape(_UNWRITABLE.sub("�", value))
