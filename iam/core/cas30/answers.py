"""What a CAS server writes (CAS Protocol 3.0 §2.5, §2.3.3): every text escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

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
