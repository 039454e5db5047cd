"""What relying parties fetch from the built-in CA: /ca/root.crt and /ca/root.crl."""

from __future__ import annotations

from typing import Final

from kms.service import KmsServices
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_PUBLIC: Final = Public(
    "relying parties fetch certificates and revocation lists without an account"
)
_CACHE: Final = ("cache-control", "public, max-age=300")


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of the built-in CA."""

    def show_root_certificate(_request: Request) -> Response:
        return _answer("application/pkix-cert", services.published_lists.root_certificate())

    def show_revocation_list(_request: Request) -> Response:
        return _answer("application/pkix-crl", services.published_lists.revocation_list())

    return (
        Route(
            method="GET",
            path="/ca/root.crt",
            operation="show_root_certificate",
            access=_PUBLIC,
            handler=show_root_certificate,
        ),
        Route(
            method="GET",
            path="/ca/root.crl",
            operation="show_revocation_list",
            access=_PUBLIC,
            handler=show_revocation_list,
        ),
    )


def _answer(kind: str, content: bytes) -> Response:
    return Response(200, (("content-type", kind), _CACHE), content)
