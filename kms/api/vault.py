"""Vault's envelope around an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from secops.kernel.trail import Act
from secops.web.messages import NO_STORE, Request, Response, json_response
from secops.web.routes import Schema

ANY_OBJECT = Schema("VaultRequest", {"type": "object"})
ENVELOPE = Schema(
    "VaultAnswer",
    {
        "type": "object",
        "required": ["request_id", "data"],
        "properties": {
            "request_id": {"type": "string"},
            "lease_id": {"type": "string"},
            "renewable": {"type": "boolean"},
            "lease_duration": {"type": "integer"},
            "data": {"type": "object"},
            "wrap_info": {"type": ["object", "null"]},
            "warnings": {"type": ["array", "null"]},
            "auth": {"type": ["object", "null"]},
        },
    },
)


def vault_response(
    request: Request,
    data: Mapping[str, Any],
    status: int = 200,
    *,
    acts: Sequence[Act] = (),
) -> Response:
    """Return ``data`` in Vault's envelope; each act names the request."""
    # not dataclasses.replace: it takes as long as all else here
    numbered = [
        Act(
            act.action,
            act.actor,
            act.target,
            act.outcome,
            act.details,
            request.request_id,
            act.bulk,
        )
        for act in acts
    ]
    return json_response(
        {
            "request_id": request.request_id,
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": data,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
        },
        status,
        acts=numbered,
    )


def no_content() -> Response:
    """Return Vault's answer where there is nothing to say."""
    return Response(204, (NO_STORE,))
