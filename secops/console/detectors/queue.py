"""The queue of alerts: facets, groups, deadlines, who has what, and what is done with many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from detectors.errors import AlertNotOpen
from detectors.errors.queue import AlertMoved
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.queue import ENTITY_KINDS, MANY, AlertCounts, AlertGroup, Facet
from detectors.service.triage.alert_views import due_alerts
from detectors.service.triage.filters import (
    NOBODY,
    WORDS,
    read_filter,
    read_group,
    read_order,
)
from detectors.service.triage.handling import ME
from detectors.service.triage.queue_presentation import news_json, view_words
from secops.console.detectors.alerts import (
    KINDS,
    SEVERITIES,
    STATUSES,
    alert_title,
    handle_alert,
    severity_cell,
)
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.pages import MAX_LIMIT
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, json_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

SORTS: Final = {
    "newest": N_("最近事件在前"),
    "oldest": N_("最早事件在前"),
    "severity": N_("级别高的在前"),
    "due": N_("先到期的在前"),
}
GROUPS: Final = {"rule": N_("按规则归并"), "entity": N_("按对象归并")}
TAKEN: Final = {"yes": N_("已受理"), "no": N_("未受理")}
DUE: Final = {"acknowledge": N_("受理"), "resolve": N_("关闭")}
FACETS: Final[Mapping[Facet, tuple[str, str]]] = {
    "severity": ("severity", N_("级别")),
    "acknowledged": ("acknowledged", N_("受理")),
    "assignee": ("assignee", N_("负责人")),
    "entity_kind": ("kind", N_("对象类型")),
    "rule": ("rule", N_("规则")),
}
"""Of each facet its word in the address, and its heading."""
_SORTED: Final[Mapping[str, tuple[str, str]]] = {
    "newest": ("last", "descending"),
    "oldest": ("last", "ascending"),
    "severity": ("severity", "descending"),
    "due": ("due", "ascending"),
}
"""Of each order the column that it sorts by, and how."""
_KINDS: Final[Mapping[str, str]] = {kind: KINDS[kind] for kind in ENTITY_KINDS}
_WORDS: Final = (*WORDS, "sort", "group")
_CHOSEN: Final = "alert."
"""What the name of a row's box begins with; behind it stands the id, its value is the version."""
_COLUMNS: Final = (
    Column("severity", N_("级别")),
    Column("due", N_("时限")),
    Column("title", N_("告警")),
    Column("subjects", N_("对象")),
    Column("count", N_("事件数")),
    Column("last", N_("最近事件")),
    Column("assignee", N_("负责人")),
    Column("status", N_("状态")),
)
_GROUPED: Final = (
    Column("group", N_("归并")),
    Column("count", N_("告警数")),
    Column("severity", N_("最高级别")),
    Column("last", N_("最近事件")),
)


def asked_words(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what an address or a form says of a view: open alerts, unless it says otherwise."""
    said = {name: asked[name] for name in _WORDS if name in asked}
    return {"status": "open", **said}


def _sorting(words: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return of each column that sorts the whole view its address and how it sorts now."""
    order = words.get("sort") or "newest"
    column, direction = _SORTED[order]
    links = {"last": "oldest" if order == "newest" else "newest"}
    if words["status"] == "open":
        links |= {"severity": "severity", "due": "due"}
    return {
        name: (queue_href({**words, "sort": each}), direction if name == column else "none")
        for name, each in links.items()
    }


def queue_href(words: Mapping[str, str]) -> str:
    """Return the queue's address of a view; only words that change it stand there."""
    kept = {name: words[name] for name in _WORDS if words.get(name)}
    if words.get("status", "open") == "open":
        kept.pop("status", None)
    elif not words["status"]:
        kept["status"] = ""
    if kept.get("sort") == "newest":
        del kept["sort"]
    return f"/alerts?{urlencode(kept)}" if kept else "/alerts"


@dataclass(frozen=True, slots=True)
class _Queue:
    desk: Desk

    def list_alerts(self, request: Request) -> Response:
        """Show the queue, or its groups; the view stands in the address."""
        words = asked_words(request.query)
        wanted, order, group = read_filter(words), read_order(words), read_group(words)
        detectors, caller = self.desk.parts.detectors, request.caller
        page = wanted_page(request)
        shared = {"words": words, "group": group or "", "open_ones": wanted.status == "open"}
        if group is not None:
            found = detectors.queue.group_alerts(caller, wanted, group, page)
            rows = [self._group_row(request, words, each) for each in found.items]
            table = _table(N_("归并的告警"), _GROUPED, rows, found.next)
            return self._page(request, table, wanted, alerts=(), **shared)
        listed = detectors.alerts.list_alerts(caller, wanted, page, order=order)
        dues = due_alerts(detectors.alert_deadlines.list_alert_deadlines(caller), listed.items)
        now, people = self.desk.parts.clock.now(), [each.assignee for each in listed.items]
        names = self.desk.account_names(request, [each for each in people if each])
        view = queue_href(words).removeprefix("/alerts")
        alerts = [
            {
                "id": alert.id,
                "version": alert.version,
                "title": alert_title(request, alert),
                "href": f"/alerts/{alert.id}{view}",
                "due": due,
                "late": due is not None and due.at < now,
                "mine": alert.assignee == caller.id,
            }
            for alert, due in zip(listed.items, dues, strict=True)
        ]
        # a view of one status says it above the table, and what is due says what was not done yet
        count = len(_COLUMNS) - (wanted.status is not None)
        rows = [
            self._row(request, alert, said, names)[:count]
            for alert, said in zip(listed.items, alerts, strict=True)
        ]
        table = _table(N_("告警"), _COLUMNS[:count], rows, listed.next)
        return self._page(request, table, wanted, alerts=alerts, **shared)

    def _page(self, request: Request, table: Table, wanted: AlertFilter, **shared: Any) -> Response:
        if request.query.get("format") == "csv":
            return self.desk.list_page(request, "detectors/alerts.html", table)
        detectors, caller, words = self.desk.parts.detectors, request.caller, shared["words"]
        counts = detectors.queue.count_alerts(caller, wanted)
        views = detectors.alert_views.list_alert_views(caller) if caller.kind == "account" else ()
        done, moved = (whole_number(request.query.get(name, ""), 3) for name in ("done", "moved"))
        return self.desk.list_page(
            request,
            "detectors/alerts.html",
            table,
            counts=counts,
            facets=self._facets(request, words, counts),
            statuses=STATUSES,
            status_counts={name: _about(name, n) for name, n in counts.statuses.items()},
            choices={
                "severity": SEVERITIES,
                "kind": _KINDS,
                "acknowledged": TAKEN,
                "sort": SORTS if wanted.status == "open" else dict(list(SORTS.items())[:2]),
                "group": GROUPS,
            },
            views=[(view.id, view.name, queue_href(view_words(view))) for view in views],
            here_href=queue_href(words),
            late_href=queue_href({**words, "overdue": "yes"}),
            news_href="/alerts/news?" + urlencode({**words, "revision": counts.revision}),
            may_close=caller.may(ALERT_CLOSE) and caller.kind == "account",
            sorting={} if words.get("group") else _sorting(words),
            columns=[column.name for column in table.columns],
            done=done,
            moved=moved,
            **shared,
        )

    def _row(
        self, request: Request, alert: Alert, said: Mapping[str, Any], names: Mapping[str, str]
    ) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        due, taken = said["due"], TAKEN["no" if alert.acknowledged_at is None else "yes"]
        status = word(request, STATUSES.get(alert.status, alert.status))
        late = word(request, N_("逾期")) + " · " if said["late"] else ""
        return (
            severity_cell(self.desk, request, alert.severity),
            Cell("")
            if due is None
            else Cell(
                late + word(request, DUE[due.what]),
                badge="bad" if late else "",
                instant=due.at,
            ),
            Cell(said["title"], href=said["href"]),
            Cell(", ".join(f"{name}={value}" for name, value in sorted(alert.subjects.items()))),
            Cell(str(alert.event_count)),
            Cell("", instant=alert.last_at),
            Cell(names.get(alert.assignee, alert.assignee) if alert.assignee else ""),
            Cell(f"{status} · {word(request, taken)}" if alert.status == "open" else status),
        )

    def _group_row(
        self, request: Request, words: Mapping[str, str], group: AlertGroup
    ) -> tuple[Cell, ...]:
        by = {"rule": "rule", "entity": "subject"}[words["group"]]
        title = alert_title(request, group.sample) if group.sample else group.key
        opened = {**words, "group": "", by: group.key}
        return (
            Cell(title, href=queue_href(opened)),
            Cell(str(group.count)),
            severity_cell(self.desk, request, group.severity),
            Cell("", instant=group.newest),
        )

    def _facets(
        self, request: Request, words: Mapping[str, str], counts: AlertCounts
    ) -> list[dict[str, Any]]:
        """Return the facets with their values, counts and addresses."""
        people = [value for value in counts.facets["assignee"] if value]
        names = self.desk.account_names(request, people)
        titles = {rule: alert_title(request, each) for rule, each in counts.samples.items()}
        said: Mapping[Facet, Mapping[str, str]] = {
            "severity": self._words(request, SEVERITIES),
            "acknowledged": self._words(request, TAKEN),
            "assignee": {**self._words(request, {"": N_("无人负责")}), **names},
            "entity_kind": self._words(request, _KINDS),
            "rule": titles,
        }
        return [
            {
                "title": title,
                "values": [
                    {
                        "text": said[facet].get(value, value),
                        "count": count,
                        "chosen": self._is_chosen(request, words.get(word, ""), value),
                        "href": queue_href({**words, word: value or NOBODY}),
                        "without": queue_href({**words, word: ""}),
                    }
                    for value, count in counts.facets[facet].items()
                ],
            }
            for facet, (word, title) in FACETS.items()
        ]

    def _words(self, request: Request, texts: Mapping[str, str]) -> Mapping[str, str]:
        return {name: self.desk.renderer.word(request, text) for name, text in texts.items()}

    def _is_chosen(self, request: Request, word: str, value: str) -> bool:
        return word == (value or NOBODY) or (word == ME and value == request.caller.id)

    def watch_alerts(self, request: Request) -> Response:
        """Say how many alerts the view has now, and how many came or changed since."""
        words = asked_words(request.query)
        revision = whole_number(request.query.get("revision", ""), 18)
        if revision is None:
            raise Invalid("revision is the number that the view was shown with")
        queue = self.desk.parts.detectors.queue
        news = queue.watch_alerts(request.caller, read_filter(words), revision)
        return json_response(news_json(news))

    def handle_chosen(self, request: Request) -> Response:
        """Do with the chosen alerts what the button says; each is one's own decision."""
        form = request.form
        chosen = [
            (name.removeprefix(_CHOSEN), whole_number(version, 9))
            for name, version in form.items()
            if name.startswith(_CHOSEN)
        ]
        if not chosen or len(chosen) > MAX_LIMIT or any(version is None for _, version in chosen):
            raise Invalid(f"choose alerts of this page, at most {MAX_LIMIT}")
        done = 0
        for alert_id, version in chosen:
            try:
                self._handle(request, alert_id, version)
                done += 1
            except (AlertMoved, AlertNotOpen):
                continue
        words = {**asked_words(form), "status": form.get("status", "open")}
        href = queue_href(words)
        said = urlencode({"done": done, "moved": len(chosen) - done})
        return redirect(f"{href}{'&' if '?' in href else '?'}{said}")

    def _handle(self, request: Request, alert_id: str, version: int | None) -> None:
        form = request.form
        if form.get("verb") == "close":
            alerts = self.desk.parts.detectors.alerts
            alerts.close_alert(request.caller, alert_id, form.get("reason", ""))
        else:
            handle_alert(self.desk, request, alert_id, version)

    def save_alert_view(self, request: Request) -> Response:
        """Keep the view under a name."""
        words = asked_words(request.form)
        self.desk.parts.detectors.alert_views.save_alert_view(
            request.caller,
            request.form.get("name", ""),
            read_filter(words),
            order=read_order(words),
            group=read_group(words),
        )
        return redirect(queue_href(words))

    def forget_alert_view(self, request: Request) -> Response:
        """Drop one of one's own views."""
        view_id = request.args["view_id"]
        self.desk.parts.detectors.alert_views.forget_alert_view(request.caller, view_id)
        return redirect("/alerts")


def _table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], following: str | None
) -> Table:
    return Table(caption, columns, rows, following, N_("没有告警"), ordered=True)


def _about(status: str, count: int) -> str:
    return f"{MANY:,}+" if status != "open" and count > MANY else f"{count:,}"


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the queue."""
    here = _Queue(desk)
    return (
        get_page("/alerts", "show_alerts", ALERT_READ, here.list_alerts),
        get_page("/alerts/news", "watch_alerts_page", ALERT_READ, here.watch_alerts),
        post_page("/alerts/chosen", "handle_alerts_form", ALERT_CLOSE, here.handle_chosen),
        post_page("/alert-views", "save_alert_view_form", ALERT_READ, here.save_alert_view),
        post_page(
            "/alert-views/<view_id>/forget",
            "forget_alert_view_form",
            ALERT_READ,
            here.forget_alert_view,
        ),
    )
