"""The page of an alert: one sentence, why, its lines, whom it is about, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from detectors.models.alert_page import EntityState, ExceptionPreview, Explanation
from detectors.models.alerts import Alert
from detectors.service.logs.log_search import narrowed
from detectors.service.rules.exceptions import (
    MAX_DAYS,
    ExceptionWish,
    read_condition,
    written_condition,
)
from detectors.service.triage.filters import read_filter
from playbooks.models import CheckedPlaybook
from playbooks.models.bindings import BindingTerms
from secops.console.automatic import OUTCOMES, reason_of
from secops.console.detectors.alerts import KINDS, SEVERITIES, STATUSES, alert_title, handle_alert
from secops.console.detectors.queue import asked_words
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.texts import N_
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions import Permission
from secops.kernel.permissions.detectors import (
    ALERT_CLOSE,
    ALERT_READ,
    EXCEPTION_REQUEST,
    LOG_REVEAL,
    LOG_SEARCH,
    RULE_READ,
)
from secops.kernel.permissions.iam import ACCOUNT_READ, LOCK_READ
from secops.kernel.permissions.kms import KEY_READ, SEAL_READ
from secops.kernel.permissions.playbooks import BINDING_READ, INCIDENT_OPEN, RUN_REQUEST
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_PAGES: Final[dict[str, tuple[str, Permission]]] = {
    "account": ("/accounts/{id}", ACCOUNT_READ),
    "key": ("/keys/{name}", KEY_READ),
    "seal": ("/seals/{id}", SEAL_READ),
    "address": ("/locks", LOCK_READ),
}
"""Where an entity has a page, and who may open it."""
_ANSWERS: Final = {
    "matches": ("good", N_("仍会告警")),
    "matches_not": ("warn", N_("不再告警")),
    "excepted": ("warn", N_("已被例外隐去")),
    "not_possible": ("", N_("无法重放")),
}
_EXCEPTED: Final = ("rule", "correlation")
"""Kinds of alerts that come from rules, which exceptions are about."""
_USE: Final = "use_"
_ACCOUNT: Final = "acc_"


@dataclass(frozen=True, slots=True)
class _AlertPage:
    desk: Desk

    def show_alert(self, request: Request) -> Response:
        """Show one alert; ``?replay=yes`` asks its rule again."""
        alert_id, query = request.args["alert_id"], dict(request.query)
        detectors, caller = self.desk.parts.detectors, request.caller
        replay = None
        if query.pop("replay", "") and caller.may(RULE_READ):
            replay = detectors.replays.replay_alert(caller, alert_id)
        view = read_filter(asked_words(query))
        found = detectors.alert_pages.explain_alert(caller, alert_id, view)
        return self.desk.page(
            request,
            "detectors/alert.html",
            **self._said(request, found, urlencode(query)),
            kept=list(query.items()),
            replay=replay,
            answer=None if replay is None else _ANSWERS[replay.answer],
        )

    def _said(self, request: Request, found: Explanation, view: str) -> dict[str, Any]:
        alert, caller = found.alert, request.caller
        from_rule = alert.kind in _EXCEPTED
        return {
            "found": found,
            "alert": alert,
            "view": f"?{view}" if view else "",
            "heading": alert_title(request, alert),
            "severity": SEVERITIES.get(alert.severity, alert.severity),
            "state": STATUSES.get(alert.status, alert.status),
            "statuses": STATUSES,
            "kinds": KINDS,
            "names": self._names(request, found),
            "mine": alert.assignee == caller.id,
            "may_close": caller.may(ALERT_CLOSE) and alert.status == "open",
            "may_open": caller.may(INCIDENT_OPEN) and found.incident is None,
            "may_run": caller.may(RUN_REQUEST),
            "suggestions": self._suggestions(request, alert),
            "may_except": caller.may(EXCEPTION_REQUEST) and from_rule and found.rule is not None,
            "may_replay": caller.may(RULE_READ) and from_rule,
            "may_search": caller.may(LOG_SEARCH),
            "may_reveal": caller.may(LOG_REVEAL),
            "search": _search,
            "page_of": lambda state: _page_of(request, state),
        }

    def _suggestions(self, request: Request, alert: Alert) -> list[dict[str, Any]]:
        """Return what bindings answered, with the playbook's variables a run would be given."""
        caller = request.caller
        if not caller.may(BINDING_READ):
            return []
        answers = self.desk.parts.playbooks.autonomy.bindings.answers_of(caller, alert.id)
        return [
            {
                "binding": binding,
                "answer": answer,
                "outcome": OUTCOMES[answer.outcome],
                "reason": reason_of(self.desk, request, answer.reason),
                "given": self._given(request, alert, binding.terms),
            }
            for binding, answer in answers
        ]

    def _given(self, request: Request, alert: Alert, terms: BindingTerms) -> dict[str, str]:
        """Return the variables that the playbook asks for, with what the alert says of them."""
        try:
            playbook = self.desk.parts.playbooks.playbooks.find(request.caller, terms.content_hash)
        except SecopsError:
            return {}  # gone or altered: the rehearsal says so, and the alert is still shown
        kinds = terms.arguments
        return {name: alert.subjects.get(kinds.get(name, ""), "") for name in _asked(playbook)}

    def _names(self, request: Request, found: Explanation) -> Mapping[str, str]:
        """Return the names of the accounts that had to do with it, as far as they may be seen."""
        alert, rule = found.alert, found.rule
        said = [alert.closed_by, alert.assignee, alert.acknowledged_by]
        said += [each.closed_by for each in (*found.same_rule.last, *found.same_entity.last)]
        said += [] if rule is None else [rule.decided_by]
        ids = [each for each in said if each and each.startswith(_ACCOUNT)]
        return self.desk.account_names(request, ids)

    def handle_alert(self, request: Request) -> Response:
        """Acknowledge the alert, take it, or give it to somebody; come back in the same view."""
        alert_id = request.args["alert_id"]
        version = whole_number(request.form.get("version", ""), 9)
        handle_alert(self.desk, request, alert_id, version)
        return redirect(f"/alerts/{alert_id}?{urlencode(asked_words(request.query))}")

    def ask_exception(self, request: Request) -> Response:
        """Show the form of an exception for an alert's rule, filled with what it is about."""
        return self._exception_page(request, self._suggested(request))

    def request_exception(self, request: Request) -> Response:
        """Show what the exception would have hidden; ask for what was shown."""
        form, services, caller = request.form, self.desk.parts.detectors, request.caller
        alert, known = suggested = self._suggested(request)
        try:
            condition = _condition(form, known)
            seen = written_condition(condition) == form.get("previewed")
            if form.get("do") == "ask" and seen:
                wish = ExceptionWish(
                    alert.rule_id,
                    condition,
                    form.get("owner", ""),
                    form.get("reason", ""),
                    whole_number(form.get("days", ""), 4) or 0,
                )
                services.exceptions.request_exception(caller, wish)
                return redirect("/exceptions")
            found = services.exception_previews.preview_exception(caller, alert.rule_id, condition)
        except SecopsError as refused:
            return self._exception_page(request, suggested, error=refused)
        return self._exception_page(request, suggested, preview=found)

    def _suggested(self, request: Request) -> tuple[Alert, dict[str, str]]:
        pages = self.desk.parts.detectors.alert_pages
        alert, known = pages.suggest_condition(request.caller, request.args["alert_id"])
        if alert.kind not in _EXCEPTED:
            msg = "only alerts of rules have exceptions"
            raise Invalid(msg)
        return alert, known

    def _exception_page(
        self,
        request: Request,
        suggested: tuple[Alert, dict[str, str]],
        *,
        preview: ExceptionPreview | None = None,
        error: SecopsError | None = None,
    ) -> Response:
        fresh = request.method == "GET"
        form: Mapping[str, str] = {} if fresh else request.form
        alert, known = suggested
        return self.desk.page(
            request,
            "detectors/alert_exception.html",
            200 if error is None else error.status,
            alert=alert,
            heading=alert_title(request, alert),
            known=[(name, value, fresh or _USE + name in form) for name, value in known.items()],
            said={name: form.get(name, "") for name in ("condition", "owner", "reason", "days")},
            preview=preview,
            error=error,
            statuses=STATUSES,
            max_days=MAX_DAYS,
        )


def _condition(form: Mapping[str, str], known: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says: the JSON it was given, or the fields that are ticked."""
    text = form.get("condition", "").strip()
    if not text:
        return {name: value for name, value in known.items() if _USE + name in form}
    return read_condition(text)


def _asked(playbook: CheckedPlaybook) -> list[str]:
    """Return the playbook's variables that have no value of their own."""
    known = playbook.document.get("playbook_variables", {})
    return [name for name, one in known.items() if not isinstance(one.get("value"), str)]


def _search(name: str, value: str) -> str:
    """Return the address of the log search for a field's value."""
    return "/logs?" + urlencode({"q": narrowed("", name, value)})


def _page_of(request: Request, state: EntityState) -> str:
    """Return where the console shows an entity, "" where it does not for this reader."""
    path, permission = _PAGES.get(state.kind, ("", ALERT_READ))
    if not state.known or not request.caller.may(permission):
        return ""
    return path.format(id=quote(state.id, safe=""), name=quote(state.name, safe=""))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the page."""
    here = _AlertPage(desk)
    form = "/alerts/<alert_id>/exception"
    return (
        get_page("/alerts/<alert_id>", "show_alert_page", ALERT_READ, here.show_alert),
        post_page("/alerts/<alert_id>/handle", "handle_alert_form", ALERT_CLOSE, here.handle_alert),
        get_page(form, "ask_alert_exception", EXCEPTION_REQUEST, here.ask_exception),
        post_page(form, "request_alert_exception_form", EXCEPTION_REQUEST, here.request_exception),
    )
