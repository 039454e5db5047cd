"""Notification channels, what left by them or did not, and who is told of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models.incidents import SEVERITIES
from playbooks.models.notifications import (
    EVENTS,
    KINDS,
    STUCK_STATES,
    ChannelDraft,
    Outgoing,
    StoredChannel,
)
from playbooks.service.notifications import NewSubscription, NotificationServices
from playbooks.service.notifications.documents import quiet_hours, subscription_document
from secops.console.detectors.alerts import SEVERITIES as LEVELS
from secops.console.parts import Desk, get_page, post_page, version_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    CHANNEL_MANAGE,
    CHANNEL_READ,
    DUTY_READ,
    MESSAGE_READ,
    MESSAGE_RESOLVE,
    SUBSCRIPTION_MANAGE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

STATES: Final = {
    "queued": N_("待发送"),
    "sending": N_("发送中"),
    "sent": N_("已送达"),
    "digested": N_("已合并"),
    "unknown": N_("结果未知"),
    "dead": N_("发送失败"),
    "dropped": N_("已丢弃"),
}
BADGES: Final = {"sent": "good", "dead": "bad", "unknown": "warn"}
_COLUMNS: Final = (
    Column("created", N_("时间")),
    Column("title", N_("标题")),
    Column("channel", N_("渠道")),
    Column("state", N_("状态")),
    Column("tries", N_("尝试次数")),
    Column("trouble", N_("原因")),
)


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: Desk

    @property
    def _services(self) -> NotificationServices:
        return self.desk.parts.playbooks.notifications

    def show_channels(self, request: Request) -> Response:
        """Show the channels; whoever may, adds, changes, tries and switches them."""
        return self.desk.page(
            request,
            "notifications/channels.html",
            channels=self._services.channels.list_channels(request.caller),
            kinds=KINDS,
            may_manage=request.caller.may(CHANNEL_MANAGE),
            may_read_messages=request.caller.may(MESSAGE_READ),
        )

    def create_channel(self, request: Request) -> Response:
        """Add a channel."""
        self._services.channels.create_channel(request.caller, _draft(request))
        return redirect("/notifications/channels")

    def change_channel(self, request: Request) -> Response:
        """Replace a channel's address and name."""
        channel_id = request.args["channel_id"]
        self._services.channels.change_channel(
            request.caller, channel_id, _draft(request), version=version_of(request)
        )
        return redirect("/notifications/channels")

    def switch_channel(self, request: Request) -> Response:
        """Switch a channel on or off."""
        state = request.form.get("state")
        if state not in ("on", "off"):
            raise Invalid("switch it on or off")
        self._services.channels.switch_channel(
            request.caller,
            request.args["channel_id"],
            enabled=state == "on",
            version=version_of(request),
        )
        return redirect("/notifications/channels")

    def test_channel(self, request: Request) -> Response:
        """Send a test message."""
        self._services.channels.test_channel(request.caller, request.args["channel_id"])
        return redirect("/notifications/messages")

    def show_messages(self, request: Request) -> Response:
        """Show messages to people outside, and what a person has to decide about."""
        state = request.query.get("state") or None
        page = self._services.messages.list_messages(request.caller, state, wanted_page(request))
        names = {one.id: one for one in self._services.channels.list_channels(request.caller)}
        rows = [self._row(request, one, names) for one in page.items]
        stuck = [one for one in page.items if one.state in STUCK_STATES]
        return self.desk.list_page(
            request,
            "notifications/messages.html",
            Table(N_("外发消息"), _COLUMNS, rows, page.next),
            states=STATES,
            state=state,
            stuck=stuck if request.caller.may(MESSAGE_RESOLVE) else [],
        )

    def _row(
        self, request: Request, message: Outgoing, names: dict[str, StoredChannel]
    ) -> tuple[Cell, ...]:
        channel = names.get(message.channel_id)
        return (
            Cell("", instant=message.created_at),
            Cell(message.title),
            Cell(message.channel_id if channel is None else channel.name),
            Cell(
                self.desk.renderer.word(request, STATES[message.state]),
                badge=BADGES.get(message.state, "info"),
            ),
            Cell(str(message.tries), sort=message.tries),
            Cell(message.trouble or "—"),
        )

    def resolve_message(self, request: Request) -> Response:
        """Send a stuck message again, or drop it."""
        message_id, form = request.args["message_id"], request.form
        reason, service = form.get("reason", ""), self._services.messages
        if form.get("decision") == "resend":
            service.resend_message(request.caller, message_id, reason=reason)
        elif form.get("decision") == "drop":
            service.drop_message(request.caller, message_id, reason=reason)
        else:
            raise Invalid("decide: resend or drop")
        return redirect("/notifications/messages?state=stuck")

    def show_subscriptions(self, request: Request) -> Response:
        """Show who is told of what."""
        caller, services = request.caller, self.desk.parts.playbooks
        channels = self._services.channels.list_channels(caller)
        rosters = services.duty.rosters.list_rosters(caller) if caller.may(DUTY_READ) else ()
        targets = {f"channel:{one.id}": one.name for one in channels}
        targets |= {f"roster:{one.id}": one.name for one in rosters}
        found = self._services.subscriptions.list_subscriptions(caller)
        return self.desk.page(
            request,
            "notifications/subscriptions.html",
            subscriptions=[subscription_document(one) for one in found],
            targets=targets,
            events=EVENTS,
            severities=SEVERITIES,
            levels=LEVELS,
            may_manage=caller.may(SUBSCRIPTION_MANAGE),
        )

    def subscribe(self, request: Request) -> Response:
        """Tell somebody of events."""
        form = request.form
        begins, ends = quiet_hours(form.get("quiet", "").strip())
        new = NewSubscription(
            form.get("event", ""),
            form.get("target", ""),
            form.get("severity", ""),
            begins,
            ends,
        )
        self._services.subscriptions.subscribe(request.caller, new)
        return redirect("/notifications/subscriptions")

    def unsubscribe(self, request: Request) -> Response:
        """Tell no more."""
        subscription_id = request.args["subscription_id"]
        self._services.subscriptions.unsubscribe(request.caller, subscription_id)
        return redirect("/notifications/subscriptions")


def _draft(request: Request) -> ChannelDraft:
    form = request.form
    return ChannelDraft(
        name=form.get("name", "").strip(),
        kind=form.get("kind", ""),
        url=form.get("url", "").strip(),
        secret=form.get("secret", ""),
        to=tuple(form.get("to", "").replace(",", " ").split()),
        language=form.get("language", "zh"),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of notifications."""
    here = _Pages(desk)
    channels, one = "/notifications/channels", "/notifications/channels/<channel_id>"
    messages, told = "/notifications/messages", "/notifications/subscriptions"
    end = f"{told}/<subscription_id>/end"
    decide = f"{messages}/<message_id>/resolve"
    return (
        get_page(channels, "show_channels", CHANNEL_READ, here.show_channels),
        post_page(channels, "create_channel_form", CHANNEL_MANAGE, here.create_channel),
        post_page(one, "change_channel_form", CHANNEL_MANAGE, here.change_channel),
        post_page(f"{one}/switch", "switch_channel_form", CHANNEL_MANAGE, here.switch_channel),
        post_page(f"{one}/test", "test_channel_form", CHANNEL_MANAGE, here.test_channel),
        get_page(messages, "show_messages", MESSAGE_READ, here.show_messages),
        post_page(decide, "resolve_message_form", MESSAGE_RESOLVE, here.resolve_message),
        get_page(told, "show_subscriptions", CHANNEL_READ, here.show_subscriptions),
        post_page(told, "subscribe_form", SUBSCRIPTION_MANAGE, here.subscribe),
        post_page(end, "unsubscribe_form", SUBSCRIPTION_MANAGE, here.unsubscribe),
    )
