"""``/api/v1/detectors/situation``: what was last seen of the organisation."""

from __future__ import annotations

from typing import Any, Final

from detectors.service.situation.presentation import situation_json
from detectors.service.situation.situations import SituationService
from secops.kernel.permissions.detectors import ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_UNSEEN: Final[dict[str, Any]] = {"at": None, "stale": True}
"""The answer before the scheduler looked for the first time."""


def situation_routes(situations: SituationService) -> tuple[Route, ...]:
    """Return the one route."""

    def show_situation(request: Request) -> Response:
        found = situations.show_situation(request.caller)
        return json_response(_UNSEEN if found is None else situation_json(found))

    path = "/api/v1/detectors/situation"
    return (
        Route(
            method="GET",
            path=path,
            operation="show_situation",
            access=ALERT_READ,
            handler=show_situation,
            credential="either",
        ),
    )
