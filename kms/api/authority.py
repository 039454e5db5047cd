"""What relying parties fetch from the built-in CA: its roots, their CRLs, answers by OCSP."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote

from kms.models.certificates import AUTHORITY_NAMES, MAX_OCSP_REQUEST, AuthorityName
from kms.service import KmsServices
from secops.crypto.hashes import sha256
from secops.kernel.clock import SECOND
from secops.kernel.errors import NotFound
from secops.web.messages import NO_STORE, Request, Response
from secops.web.routes import Public, Route

_PUBLIC: Final = Public(
    "relying parties fetch certificates and revocation lists without an account"
)
_QUESTIONS: Final = Public(
    "relying parties ask whether a certificate is revoked without an account; an address gets "
    "600 answers a minute"
)
_CACHE: Final = ("cache-control", "public, max-age=300")
_OCSP: Final = "/ca/ocsp"
_OCSP_RESPONSE: Final = "application/ocsp-response"
_FRESH_SECONDS: Final = 60
"""What caches may keep of an answer that stands for ten minutes: a revocation is soon seen."""


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of the built-in CA."""
    return (*_published_routes(services), *_ocsp_routes(services))


def _published_routes(services: KmsServices) -> tuple[Route, ...]:
    lists = services.published_lists

    def show_root_certificate(request: Request) -> Response:
        """Give out the certificate of one of the two roots."""
        return _answer("application/pkix-cert", lists.root_certificate(_name(request)))

    def show_revocation_list(request: Request) -> Response:
        """Give out the revocation list of one of the two roots."""
        return _answer("application/pkix-crl", lists.revocation_list(_name(request)))

    return (
        Route(
            method="GET",
            path="/ca/<name>.crt",
            operation="show_root_certificate",
            access=_PUBLIC,
            handler=show_root_certificate,
        ),
        Route(
            method="GET",
            path="/ca/<name>.crl",
            operation="show_revocation_list",
            access=_PUBLIC,
            handler=show_revocation_list,
        ),
    )


def _name(request: Request) -> AuthorityName:
    """Return the root that the address names; raise ``NotFound`` for any other."""
    for name in AUTHORITY_NAMES:
        if request.args["name"] == name:
            return name
    raise NotFound


def _ocsp_routes(services: KmsServices) -> tuple[Route, ...]:
    def answer_ocsp(request: Request) -> Response:
        """Answer the OCSPRequest in the body; a refusal is an answer with status 200, too."""
        request.require_length()
        found = services.certificates.responder.answer_ocsp(request.body, caller=request.remote)
        return Response(200, (("content-type", _OCSP_RESPONSE), NO_STORE), found.content)

    def answer_ocsp_in_path(request: Request) -> Response:
        """Answer the OCSPRequest in the address (RFC 6960 A.1), so that caches can keep it."""
        found = services.certificates.responder.answer_ocsp(
            _in_path(request), caller=request.remote
        )
        if found.expires_at is None:
            return Response(200, (("content-type", _OCSP_RESPONSE), NO_STORE), found.content)
        headers = (
            ("content-type", _OCSP_RESPONSE),
            # RFC 5019 §6.2
            ("cache-control", f"max-age={_FRESH_SECONDS}, public, no-transform, must-revalidate"),
            ("last-modified", _http_date(found.produced_at)),
            ("expires", _http_date(found.produced_at + _FRESH_SECONDS * SECOND)),
            ("etag", f'"{sha256(found.content).hex()}"'),
        )
        return Response(200, headers, found.content)

    return (
        Route(
            method="POST",
            path=_OCSP,
            operation="answer_ocsp",
            access=_QUESTIONS,
            handler=answer_ocsp,
            max_body=MAX_OCSP_REQUEST,
        ),
        Route(
            method="GET",
            path=f"{_OCSP}/<path:question>",
            operation="answer_ocsp_in_path",
            access=_QUESTIONS,
            handler=answer_ocsp_in_path,
        ),
    )


def _in_path(request: Request) -> bytes:
    """Return the request in the address, empty (and so malformed) where it is no Base64."""
    # as it was sent: a server may have joined the slashes of Base64
    sent = request.target or request.path
    try:
        return base64.b64decode(unquote(sent.removeprefix(f"{_OCSP}/")), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _http_date(instant: int) -> str:
    return format_datetime(datetime.fromtimestamp(instant // SECOND, UTC), usegmt=True)


def _answer(kind: str, content: bytes) -> Response:
    return Response(200, (("content-type", kind), _CACHE), content)
