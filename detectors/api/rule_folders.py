"""``/api/v1/detectors/rule-folders``: sent as a zip, listed, chosen from, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.rule_folders import FolderOrder, FolderPolicy
from detectors.service.rules.rule_folders import RuleFolderService
from detectors.service.triage.presentation import folder_json, folder_report_json
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_IMPORT, RULE_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, Schema

_POLICY: Final = Schema(
    "RuleFolderPolicy",
    {
        "type": "object",
        "properties": {
            name: {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 20}}
            for name in ("statuses", "levels")
        },
        "required": ["statuses", "levels"],
        "additionalProperties": False,
    },
)
_REMOVAL: Final = Schema(
    "RuleFolderRemoval",
    {
        "type": "object",
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 500}},
        "required": ["reason"],
        "additionalProperties": False,
    },
)


MAX_ARCHIVE: Final = 16 << 20
_ARCHIVE: Final = Schema(
    "RuleFolderArchive",
    {"type": "string", "format": "binary", "description": "a zip of the folder"},
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    folders: RuleFolderService

    def import_archive(self, request: Request) -> Response:
        request.require_length()
        query = request.query
        order = FolderOrder(request.args["name"], query.get("licence", ""), query.get("origin", ""))
        report = self.folders.import_archive(request.caller, order, request.body)
        return json_response(folder_report_json(report, report.folder.policy), 201)

    def list_folders(self, request: Request) -> Response:
        found = self.folders.list_folders(request.caller)
        return json_response({"items": [folder_json(each) for each in found], "next": None})

    def show_folder(self, request: Request) -> Response:
        folder, notices = self.folders.show_folder(request.caller, request.args["name"])
        return json_response({**folder_json(folder), "notices": dict(notices)})

    def choose_rules(self, request: Request) -> Response:
        body = request.json_object()
        policy = FolderPolicy(_texts(body.get("statuses")), _texts(body.get("levels")))
        name = request.args["name"]
        return json_response(folder_json(self.folders.choose_rules(request.caller, name, policy)))

    def remove_folder(self, request: Request) -> Response:
        reason = request.json_object().get("reason", "")
        if not isinstance(reason, str):
            msg = "reason is a text"
            raise Invalid(msg)
        self.folders.remove_folder(request.caller, request.args["name"], reason)
        return json_response({"name": request.args["name"], "removed": True})


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        msg = "statuses and levels are lists of words"
        raise Invalid(msg)
    return tuple(value)


def rule_folder_routes(folders: RuleFolderService) -> tuple[Route, ...]:
    """Return the routes of rule folders."""
    handlers = _Handlers(folders)
    root = "/api/v1/detectors/rule-folders"
    return (
        Route(
            method="GET",
            path=root,
            operation="list_rule_folders",
            access=RULE_READ,
            handler=handlers.list_folders,
            credential="either",
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{root}/<name>/import",
            operation="import_rule_archive",
            access=RULE_IMPORT,
            handler=handlers.import_archive,
            credential="either",
            request=_ARCHIVE,
            max_body=MAX_ARCHIVE,
        ),
        Route(
            method="GET",
            path=f"{root}/<name>",
            operation="show_rule_folder",
            access=RULE_READ,
            handler=handlers.show_folder,
            credential="either",
        ),
        Route(
            method="POST",
            path=f"{root}/<name>/choose",
            operation="choose_rules",
            access=RULE_ENABLE,
            handler=handlers.choose_rules,
            credential="either",
            request=_POLICY,
        ),
        Route(
            method="POST",
            path=f"{root}/<name>/remove",
            operation="remove_rule_folder",
            access=RULE_IMPORT,
            handler=handlers.remove_folder,
            credential="either",
            request=_REMOVAL,
        ),
    )
