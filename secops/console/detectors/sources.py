"""Log sources: who answers for them, how they fare, which are silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from detectors.models.logs import LogSource, SourceChanges
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_, translate
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.detectors import LOG_SOURCE_CHANGE, LOG_SOURCE_READ
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("来源")),
    Column("state", N_("状态")),
    Column("owner", N_("负责人")),
    Column("last", N_("最近事件")),
    Column("rate", N_("条/分钟")),
    Column("lag", N_("延迟(秒)")),
    Column("events", N_("事件数")),
    Column("rejected", N_("拒收")),
    Column("dropped", N_("丢弃")),
    Column("silence", N_("允许静默(秒)")),
)
_TEXTS: Final = ("format", "timezone", "path", "owner", "peers", "hosts")
_FORMATS: Final = (
    "auto", "syslog", "sshd", "auditd", "nginx", "apache", "cef", "keyvalue", "ecs", "jsonl",
    "postgresql", "mysql", "dameng",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sources:
    desk: Desk

    def list_sources(self, request: Request) -> Response:
        """Show every source with how it fares."""
        return self._page(request, None)

    def keep_source(self, request: Request) -> Response:
        """Register a source, or change the one of that name, or remove it."""
        form, service = request.form, self.desk.parts.detectors.sources
        name, caller = form.get("name", "").strip(), request.caller
        try:
            if form.get("do") == "remove":
                service.remove_source(caller, name)
            elif form.get("do") == "change":
                service.change_source(caller, name, SourceChanges(_written(form)))
            else:
                fresh = LogSource(name, caller.org_id, "auto", "Asia/Shanghai")
                values = {k: v for k, v in _written(form).items() if v is not None}
                service.add_source(caller, SourceChanges(values).of(fresh))
        except SecopsError as refused:
            return self._page(request, refused)
        return redirect("/log-sources")

    def _page(self, request: Request, error: SecopsError | None) -> Response:
        detectors, caller = self.desk.parts.detectors, request.caller
        rows = []
        silent_only = request.query.get("state") == "silent"
        for view in detectors.source_watch.list_health(caller):
            if silent_only and not view.is_silent:
                continue
            health, source = view.health, view.source
            state = N_("静默") if view.is_silent else N_("正常")
            if source is None:
                state = N_("未登记")
            silence = source.expected_silence if source else None
            badge = "bad" if view.is_silent else ("good" if source else "warn")
            last = health.last_ingested
            rows.append(
                (
                    Cell(view.name, href=source_link(view.name)),
                    Cell(translate(state, request.language), badge=badge),
                    Cell(source.owner if source else ""),
                    Cell("—") if last is None else Cell("", instant=last),
                    Cell(f"{health.rate:g}", sort=int(health.rate * 1_000)),
                    Cell(f"{health.lag:g}", sort=int(health.lag * 1_000)),
                    Cell(str(health.events), sort=health.events),
                    Cell(str(health.rejected), sort=health.rejected),
                    Cell(str(health.dropped), sort=health.dropped),
                    Cell("—" if silence is None else str(silence), sort=silence or 0),
                )
            )
        table = Table(N_("日志来源"), _COLUMNS, rows, None, N_("还没有日志来源"))
        return self.desk.list_page(
            request,
            "detectors/sources.html",
            table,
            status=200 if error is None else error.status,
            error=error,
            formats=_FORMATS,
            may=caller.may(LOG_SOURCE_CHANGE),
        )


def _written(form: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form says of a source; what was left empty is not changed."""
    values: dict[str, Any] = {}
    for name in _TEXTS:
        text = form.get(name, "").strip()
        if text:
            values[name] = text
    silence = form.get("expected_silence", "").strip()
    if silence:
        seconds = whole_number(silence, 8)
        if seconds is None:
            raise Invalid("the expected silence is a number of seconds")
        values["expected_silence"] = seconds or None
    if form.get("follow") in ("yes", "no"):
        values["follow"] = form["follow"] == "yes"
    return values


def source_link(name: str) -> str:
    """Return where a source's events are searched."""
    quoted = quote(name.replace("\\", "\\\\").replace('"', '\\"'))
    return f"/logs?q=log.source:%22{quoted}%22"


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the page of sources."""
    to = _Sources(desk)
    path = "/log-sources"
    return (
        get_page(path, "show_log_sources", LOG_SOURCE_READ, to.list_sources),
        post_page(path, "keep_log_source_form", LOG_SOURCE_CHANGE, to.keep_source),
    )
