"""``/api/v1/detectors/models`` and ``/logins``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.service.anomaly.model_presentation import judgement_json, login_json, model_json
from detectors.service.anomaly.models import ModelService
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import LOGIN_JUDGE, MODEL_READ, MODEL_TRAIN
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

_TRAIN: Final = Schema(
    "ModelTraining",
    {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": ["login", "use"]}},
        "required": ["kind"],
        "additionalProperties": False,
    },
)
_JUDGE: Final = Schema(
    "LoginJudgement",
    {
        "type": "object",
        "properties": {
            "verdict": {"type": "string", "enum": ["good", "bad"]},
            "reason": {"type": "string", "minLength": 1, "maxLength": 1_000},
        },
        "required": ["verdict", "reason"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    models: ModelService

    def list_models(self, request: Request) -> Response:
        page = wanted_page(request)
        found = self.models.list_models(request.caller, page)
        return json_response({"items": [model_json(m) for m in found.items], "next": found.next})

    def show_model(self, request: Request) -> Response:
        return json_response(
            model_json(self.models.show_model(request.caller, request.args["model_id"]))
        )

    def ask_training(self, request: Request) -> Response:
        kind = request.json_object().get("kind")
        if not isinstance(kind, str):
            raise Invalid("kind is login or use")
        self.models.ask_training(request.caller, kind)
        return json_response({"kind": kind, "asked": True}, 202)

    def list_logins(self, request: Request) -> Response:
        everything = request.query.get("all") == "true"
        found = self.models.list_logins(request.caller, all_of_them=everything)
        return json_response({"items": [login_json(event) for event in found], "next": None})

    def judge_login(self, request: Request) -> Response:
        body = request.json_object()
        verdict, reason = body.get("verdict"), body.get("reason")
        if verdict not in ("good", "bad") or not isinstance(reason, str):
            raise Invalid("verdict is good or bad, reason is a text")
        session = request.args["session_id"]
        said = self.models.judge_login(request.caller, session, verdict, reason)
        return json_response(judgement_json(said))


def model_routes(models: ModelService) -> tuple[Route, ...]:
    """Return the routes of models and judged sign-ins."""
    here = _Handlers(models)
    root = "/api/v1/detectors"
    return (
        Route(
            method="GET",
            path=f"{root}/models",
            operation="list_models",
            access=MODEL_READ,
            handler=here.list_models,
            credential="either",
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{root}/models",
            operation="ask_training",
            access=MODEL_TRAIN,
            handler=here.ask_training,
            credential="either",
            request=_TRAIN,
        ),
        Route(
            method="GET",
            path=f"{root}/models/<model_id>",
            operation="show_model",
            access=MODEL_READ,
            handler=here.show_model,
            credential="either",
        ),
        Route(
            method="GET",
            path=f"{root}/logins",
            operation="list_logins",
            access=MODEL_READ,
            handler=here.list_logins,
            credential="either",
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{root}/logins/<session_id>/judgement",
            operation="judge_login",
            access=LOGIN_JUDGE,
            handler=here.judge_login,
            credential="either",
            request=_JUDGE,
        ),
    )
