"""Early warnings (预警): what is in force for everybody, and the issuer's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from playbooks.models.early_warnings import (
    MAX_TEXT,
    WARNING_COLOURS,
    WARNING_STATES,
    EarlyWarning,
    WarningColour,
    WarningContent,
)
from playbooks.service.notices.early_warnings import EarlyWarningService
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_minute, minute_field
from secops.kernel.permissions.playbooks import NOTICE_READ, WARNING_APPROVE, WARNING_DRAFT
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

_ALL: Final = SignedIn("who is warned may know: everybody of the issuer and below it")
_COLUMNS: Final = (
    Column("colour", N_("颜色")),
    Column("title", N_("标题")),
    Column("state", N_("状态")),
    Column("scope", N_("范围")),
    Column("ends", N_("截止")),
)
BADGES: Final = {"red": "bad", "orange": "warn", "yellow": "warn", "blue": "info"}


@dataclass(frozen=True, slots=True)
class _Warnings:
    desk: Desk

    def list_warnings(self, request: Request) -> Response:
        """Show what is in force, and to its readers the organisation's own."""
        caller, service = request.caller, self.desk.parts.playbooks.notices.warning_views
        own = caller.may(NOTICE_READ)
        state = request.query.get("state", "")
        page = service.list_warnings(caller, state, wanted_page(request)) if own else None
        now = self.desk.parts.clock.now()
        rows = [] if page is None else [self._row(request, each, now) for each in page.items]
        following = None if page is None else page.next
        table = Table(N_("本单位的预警"), _COLUMNS, rows, following, N_("没有预警"))
        return self.desk.list_page(
            request,
            "playbooks/early_warnings.html",
            table,
            own=own,
            state=state,
            states=WARNING_STATES,
            colours=WARNING_COLOURS,
            in_force=service.warnings_in_force(caller),
            badges=BADGES,
            longest=MAX_TEXT,
            may_draft=caller.may(WARNING_DRAFT),
        )

    def _row(self, request: Request, warning: EarlyWarning, now: int) -> tuple[Cell, ...]:
        content, language = warning.content, request.language
        over = now > content.ends_at and warning.state in ("issued", "adjusted")
        ended = self.desk.renderer.word(request, N_("已到期"))
        state = WARNING_STATES[warning.state].into(language)
        return (
            Cell(WARNING_COLOURS[content.colour].into(language), badge=BADGES[content.colour]),
            Cell(content.title, href=f"/early-warnings/{warning.id}"),
            Cell(f"{state}({ended})" if over else state),
            Cell(content.scope),
            Cell("", instant=content.ends_at),
        )

    def show_warning(self, request: Request) -> Response:
        """Show one of the organisation's own."""
        caller = request.caller
        service = self.desk.parts.playbooks.notices.warning_views
        warning = service.show_warning(caller, request.args["warning_id"])
        wanted = warning.wanted or warning.content
        return self.desk.page(
            request,
            "playbooks/early_warning.html",
            warning=warning,
            wanted=wanted,
            ends=minute_field(wanted.ends_at),
            states=WARNING_STATES,
            colours=WARNING_COLOURS,
            badges=BADGES,
            longest=MAX_TEXT,
            is_over=self.desk.parts.clock.now() > warning.content.ends_at,
            may_draft=caller.may(WARNING_DRAFT),
            may_decide=caller.may(WARNING_APPROVE)
            and (warning.state == "review" or warning.wanted is not None)
            and caller.id not in warning.authors,
            may_lift=caller.may(WARNING_APPROVE) and warning.state in ("issued", "adjusted"),
        )

    def draft_warning(self, request: Request) -> Response:
        """Keep a draft."""
        warning = self._service.draft_warning(request.caller, _content(request))
        return redirect(f"/early-warnings/{warning.id}")

    def act_on_warning(self, request: Request) -> Response:
        """Revise, submit, issue, adjust or withdraw."""
        caller, form, service = request.caller, request.form, self._service
        warning_id, act = request.args["warning_id"], form.get("act", "")
        if act == "revise":
            version = whole_number(form.get("version", ""), 9) or 0
            service.revise_warning(caller, warning_id, _content(request), version)
        elif act == "adjust":
            service.adjust_warning(caller, warning_id, _content(request))
        elif act == "withdraw":
            service.withdraw_warning(caller, warning_id, form.get("reason", ""))
        elif act == "submit":
            service.submit_warning(caller, warning_id)
        elif act == "issue":
            service.issue_warning(caller, warning_id)
        return _back(request)

    def decide_warning(self, request: Request) -> Response:
        """Approve or reject what was shown."""
        form = request.form
        self._service.decide_warning(
            request.caller,
            request.args["warning_id"],
            form.get("digest", ""),
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return _back(request)

    def lift_warning(self, request: Request) -> Response:
        """End it."""
        self._service.lift_warning(
            request.caller, request.args["warning_id"], request.form.get("reason", "")
        )
        return _back(request)

    @property
    def _service(self) -> EarlyWarningService:
        return self.desk.parts.playbooks.notices.warnings


def _content(request: Request) -> WarningContent:
    form = request.form
    return WarningContent(
        colour=cast("WarningColour", form.get("colour", "")),
        title=form.get("title", ""),
        scope=form.get("scope", ""),
        measures=form.get("measures", ""),
        ends_at=local_minute(form.get("ends", "")),
    )


def _back(request: Request) -> Response:
    return redirect(f"/early-warnings/{request.args['warning_id']}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of early warnings."""
    here = _Warnings(desk)
    all_of, one = "/early-warnings", "/early-warnings/<warning_id>"
    return (
        get_page(all_of, "show_early_warnings", _ALL, here.list_warnings),
        post_page(all_of, "draft_warning_form", WARNING_DRAFT, here.draft_warning),
        get_page(one, "show_early_warning_page", NOTICE_READ, here.show_warning),
        post_page(f"{one}/act", "act_on_warning_form", WARNING_DRAFT, here.act_on_warning),
        post_page(
            f"{one}/decide", "decide_warning_form", WARNING_APPROVE, here.decide_warning, **FRESH
        ),
        post_page(f"{one}/lift", "lift_warning_form", WARNING_APPROVE, here.lift_warning, **FRESH),
    )
