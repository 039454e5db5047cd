"""Imported rule folders: their licence, which of their rules run, removing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.rule_folders import FolderPolicy
from detectors.models.rules import SEVERITIES as LEVELS
from detectors.service.rules.rule_folders import STATUSES
from secops.console.detectors.alerts import SEVERITIES
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_IMPORT, RULE_READ
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("规则目录")),
    Column("licence", N_("许可证")),
    Column("files", N_("文件数")),
    Column("statuses", N_("启用的成熟度")),
    Column("levels", N_("启用的级别")),
    Column("imported", N_("导入时间")),
)


@dataclass(frozen=True, slots=True)
class _Folders:
    desk: Desk

    def list_folders(self, request: Request) -> Response:
        """Show the imported folders."""
        found = self.desk.parts.detectors.rule_folders.list_folders(request.caller)
        rows = [
            (
                Cell(each.name, href=f"/rule-folders/{each.name}"),
                Cell(each.licence),
                Cell(str(each.files), sort=each.files),
                Cell(" ".join(each.policy.statuses) or "—"),
                Cell(" ".join(each.policy.levels) or "—"),
                Cell("", instant=each.imported_at),
            )
            for each in found
        ]
        table = Table(N_("规则目录"), _COLUMNS, rows, None, N_("还没有导入规则目录"))
        return self.desk.list_page(request, "detectors/rule_folders.html", table)

    def show_folder(self, request: Request) -> Response:
        """Show one folder with its licence."""
        services = self.desk.parts.detectors
        folder, notices = services.rule_folders.show_folder(request.caller, request.args["name"])
        return self.desk.page(
            request,
            "detectors/rule_folder.html",
            folder=folder,
            notices=notices,
            statuses=STATUSES,
            levels=[(level, SEVERITIES[level]) for level in LEVELS],
            may_choose=request.caller.may(RULE_ENABLE),
            may_remove=request.caller.may(RULE_IMPORT),
        )

    def choose_rules(self, request: Request) -> Response:
        """Say which of its rules run."""
        form, name = request.form, request.args["name"]
        policy = FolderPolicy(
            tuple(word for word in STATUSES if form.get(f"status-{word}")),
            tuple(word for word in LEVELS if form.get(f"level-{word}")),
        )
        self.desk.parts.detectors.rule_folders.choose_rules(request.caller, name, policy)
        return redirect(f"/rule-folders/{name}")

    def remove_folder(self, request: Request) -> Response:
        """Remove it with a reason."""
        name, reason = request.args["name"], request.form.get("reason", "")
        self.desk.parts.detectors.rule_folders.remove_folder(request.caller, name, reason)
        return redirect("/rule-folders")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the folder pages."""
    here = _Folders(desk)
    one = "/rule-folders/<name>"
    return (
        get_page("/rule-folders", "show_rule_folders", RULE_READ, here.list_folders),
        get_page(one, "show_rule_folder_page", RULE_READ, here.show_folder),
        post_page(f"{one}/choose", "choose_rules_form", RULE_ENABLE, here.choose_rules),
        post_page(f"{one}/remove", "remove_rule_folder_form", RULE_IMPORT, here.remove_folder),
    )
