"""The time-stamp authority over HTTP (RFC 3161 §3.4): POST /tsa."""

from __future__ import annotations

from typing import Final

from kms.errors.time_stamps import NotATimeStampQuery
from kms.models.time_stamps import MAX_QUERY, QUERY_TYPE
from kms.service import KmsServices
from secops.web.messages import NO_STORE, Request, Response
from secops.web.routes import Public, Route

_REPLY: Final = "application/timestamp-reply"
_PUBLIC: Final = Public(
    "whoever signs asks for time-stamps without an account; an address gets 120 a minute"
)


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the route of the authority."""

    def create_time_stamp(request: Request) -> Response:
        """Answer the query; a refusal by RFC 3161 is an answer with status 200, too."""
        request.require_length()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != QUERY_TYPE:
            raise NotATimeStampQuery
        reply = services.time_stamps.create_time_stamp(request.body, caller=request.remote)
        return Response(200, (("content-type", _REPLY), NO_STORE), reply.content)

    return (
        Route(
            method="POST",
            path="/tsa",
            operation="create_time_stamp",
            access=_PUBLIC,
            handler=create_time_stamp,
            max_body=MAX_QUERY,
        ),
    )
