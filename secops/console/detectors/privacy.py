"""Graded data in logs: who touched a subject, what sources hold, an original for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from detectors.models.privacy import GRADE_TEXTS, GRADES, Grade, SourcePolicy, Trace
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import SecopsError
from secops.kernel.permissions.detectors import (
    DATA_POLICY_CHANGE,
    LOG_REVEAL,
    LOG_SOURCE_READ,
    LOG_TRACE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_POLICIES: Final = (
    Column("source", N_("来源")),
    Column("grade", N_("允许的最高等级")),
    Column("masked", N_("脱敏的数据类")),
    Column("originals", N_("保存原文")),
    Column("changed", N_("修改时间")),
)


@dataclass(frozen=True, slots=True)
class _Privacy:
    desk: Desk

    def ask_trace(self, request: Request) -> Response:
        """Show the question; the subject is never part of an address."""
        return self._trace_page(request, None, "", None)

    def trace_subject(self, request: Request) -> Response:
        """Show who touched the subject that the form names."""
        form = request.form
        subject = form.get("subject", "")
        window = (form.get("since") or None, form.get("until") or None)
        tracing = self.desk.parts.detectors.tracing
        try:
            found = tracing.trace_subject(request.caller, subject, window=window)
        except SecopsError as refused:
            return self._trace_page(request, None, subject, refused)
        return self._trace_page(request, found, subject, None)

    def list_policies(self, request: Request) -> Response:
        """Show what is done with graded data, by source, and the classes of data."""
        return self._policy_page(request, None)

    def set_policy(self, request: Request) -> Response:
        """Take a source's policy from the form."""
        form = request.form
        masked = tuple(name[5:] for name in form if name.startswith("mask_"))
        policy = SourcePolicy(
            source=form.get("source", "").strip(),
            org_id=request.caller.org_id,
            grade=cast("Grade", form.get("grade", "2")),
            masked=masked,
            keeps_originals=form.get("keeps_originals") == "yes",
        )
        try:
            self.desk.parts.detectors.privacy.set_policy(request.caller, policy)
        except SecopsError as refused:
            return self._policy_page(request, refused)
        return redirect("/data-policies")

    def reveal_original(self, request: Request) -> Response:
        """Show a masked line as it came; the reason is in the ledger before."""
        event_id, original, error = request.args["event_id"], None, None
        privacy = self.desk.parts.detectors.privacy
        try:
            raw = privacy.reveal_original(request.caller, event_id, request.form.get("reason", ""))
            original = raw.decode("utf-8", "backslashreplace")
        except SecopsError as refused:
            error = refused
        return self.desk.page(
            request,
            "detectors/original.html",
            200 if error is None else error.status,
            event_id=event_id,
            original=original,
            error=error,
        )

    def ask_reveal(self, request: Request) -> Response:
        """Show the form that asks for the reason."""
        return self.desk.page(
            request,
            "detectors/original.html",
            event_id=request.args["event_id"],
            original=None,
            error=None,
        )

    def _trace_page(
        self, request: Request, trace: Trace | None, subject: str, error: SecopsError | None
    ) -> Response:
        classes = self.desk.parts.detectors.privacy.recognition.classes
        names = {each.id: each.title for each in classes}
        return self.desk.page(
            request,
            "detectors/trace.html",
            200 if error is None else error.status,
            trace=trace,
            subject=subject,
            error=error,
            names=names,
        )

    def _policy_page(self, request: Request, error: SecopsError | None) -> Response:
        privacy = self.desk.parts.detectors.privacy
        classes = privacy.recognition.classes
        names = {each.id: each.title.into(request.language) for each in classes}
        rows = [
            (
                Cell(policy.source),
                Cell(
                    GRADE_TEXTS[policy.grade].into(request.language),
                    sort=GRADES.index(policy.grade),
                ),
                Cell("、".join(names.get(each, each) for each in policy.masked)),
                Cell("✓" if policy.keeps_originals else ""),
                Cell("", instant=policy.changed_at),
            )
            for policy in privacy.list_policies(request.caller)
        ]
        table = Table(N_("来源的数据策略"), _POLICIES, rows, None, N_("还没有来源设置数据策略"))
        return self.desk.list_page(
            request,
            "detectors/policies.html",
            table,
            classes=classes,
            grades=GRADE_TEXTS,
            status=200 if error is None else error.status,
            error=error,
            may=request.caller.may(DATA_POLICY_CHANGE),
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages on graded data."""
    to = _Privacy(desk)
    original = "/logs/events/<event_id>/original"
    return (
        get_page("/trace", "show_trace", LOG_TRACE, to.ask_trace),
        post_page("/trace", "trace_subject_form", LOG_TRACE, to.trace_subject),
        get_page("/data-policies", "show_data_policies", LOG_SOURCE_READ, to.list_policies),
        post_page("/data-policies", "set_data_policy_form", DATA_POLICY_CHANGE, to.set_policy),
        get_page(original, "ask_original", LOG_REVEAL, to.ask_reveal),
        post_page(original, "reveal_original_form", LOG_REVEAL, to.reveal_original),
    )
