"""The way out: stored first, sent within limits, repeated only where nobody sees it twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors import ChangedMeanwhile, ChannelUnknown
from playbooks.errors.notifications import (
    ChannelDisabled,
    ChannelInvalid,
    ChannelNameTaken,
    MessageSettled,
    MessageUnknown,
    SubscriptionInvalid,
    SubscriptionUnknown,
    TooManyKept,
)
from playbooks.models import Channel, PlaybooksOptions
from playbooks.models.notifications import ChannelDraft, Outgoing, StoredChannel
from playbooks.service import NewIncident
from playbooks.service.notifications import NewSubscription, channels, outbox
from playbooks.service.notifications.outbox import Letter, put
from playbooks.service.notifications.ways import Named, name_of
from secops.adapters.mail_server import MailNotTaken, MailUncertain
from secops.adapters.outbound import OutboundFailed, OutboundRefused, OutboundUncertain
from secops.kernel.clock import HOUR, MINUTE
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import AlertRaised, Delivery, SessionRevoked
from secops.kernel.pages import PageRequest
from tests.fakes.playbooks_house import ANALYST, APPROVER, House, house, person

ADMIN = person("li", "system-admin")
FOREIGN = person("sun", "system-admin", "org_b")
SITE = "https://soc.example.gov.cn"
OPTIONS = PlaybooksOptions(
    channels={"duty": Channel("dingtalk", "https://robot.example/send?access_token=t0k", "s3cret")},
    site=SITE,
)
CANARY = "canary-7f3a"
ROBOT = ChannelDraft("soc", "wecom", f"https://qyapi.example/cgi-bin/webhook/send?key={CANARY}")
HOOK = ChannelDraft("hook", "generic", f"https://hook.example/{CANARY}", CANARY, language="en")
MAIL = ChannelDraft("mail", "smtp", to=("soc@example.gov.cn", "duty@市政府.cn"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, options=OPTIONS) as opened:
        yield opened


def make(home: House, draft: ChannelDraft = ROBOT) -> StoredChannel:
    return home.services.notifications.channels.create_channel(ADMIN, draft)


def send(home: House, channel: StoredChannel, key: str = "k", **given: Any) -> Outgoing:
    values = {"org_id": channel.org_id, "key": key, "event": "alert", "subject": "alert:1"}
    values |= {"title": f"标题 {key}", "text": "正文", "path": "/alerts/1"}
    letter = Letter(**{**values, **given})
    to = Named(channel.id, channel.name, channel.kind, channel.language)
    return home.spine.parts.transactions.run(
        lambda tx: put(home.surroundings, tx, to, letter, tx.now)
    )


def deliver(home: House) -> None:
    home.services.notifications.delivery.deliver()


def kept(home: House, state: str | None = None) -> list[Outgoing]:
    listed = home.services.notifications.messages.list_messages(ADMIN, state, PageRequest(200))
    return list(listed.items)


def states(home: House) -> dict[str, str]:
    return {one.key: one.state for one in kept(home)}


def texts(home: House) -> list[str]:
    return [json.loads(body)["text"]["content"] for _, body, _ in home.outbound.posted]


# channels


def test_a_channel_is_kept_sealed_and_shows_its_host_only(home: House) -> None:
    hook, mail = make(home, HOOK), make(home, MAIL)
    assert (hook.hint, mail.hint) == ("hook.example", "s***@example.gov.cn +1")
    assert CANARY.encode() not in hook.sealed
    assert CANARY not in repr(HOOK) + repr(hook)
    assert "soc@" not in repr(MAIL) + repr(mail)
    found = home.services.notifications.channels.list_channels(ANALYST)
    assert [one.name for one in found] == ["hook", "mail"]


BAD_CHANNELS: tuple[dict[str, Any], ...] = (
    {"kind": "inbox"},
    {"name": "inbox"},
    {"name": "a b"},
    {"name": ""},
    {"language": "fr"},
    {"secret": "x" * 257},
    {"secret": "a\nb"},
    {"url": f"http://robot.example/{CANARY}"},
    {"url": f"https://u:{CANARY}@robot.example/"},
    {"to": ("a@b.cn",)},
    {"kind": "smtp"},
    {"kind": "smtp", "url": "", "to": ()},
    {"kind": "smtp", "url": "", "to": ("a@b.cn\r\nBcc: c@d.cn",)},
    {"kind": "smtp", "url": "", "to": tuple(f"a{i}@b.cn" for i in range(21))},
)


def test_a_channel_that_can_not_work_is_refused_without_repeating_it(home: House) -> None:
    for bad in BAD_CHANNELS:
        with pytest.raises(ChannelInvalid) as refused:
            make(home, replace(ROBOT, **bad))
        assert CANARY not in str(refused.value)
        assert "Bcc" not in str(refused.value)


def test_only_a_system_administrator_makes_channels_and_only_in_their_organisation(
    home: House,
) -> None:
    service = home.services.notifications.channels
    for actor in (ANALYST, APPROVER):
        with pytest.raises(Forbidden):
            service.create_channel(actor, ROBOT)
    channel = make(home)
    for refused in (
        lambda: service.switch_channel(FOREIGN, channel.id, enabled=False, version=1),
        lambda: service.change_channel(FOREIGN, channel.id, ROBOT, version=1),
        lambda: service.test_channel(FOREIGN, channel.id),
    ):
        with pytest.raises(ChannelUnknown):
            refused()
    assert service.list_channels(FOREIGN) == []


def test_a_channel_is_changed_whole_and_no_change_is_lost(home: House) -> None:
    channel, service = make(home), home.services.notifications.channels
    moved = service.change_channel(ADMIN, channel.id, replace(ROBOT, name="soc-2"), version=1)
    assert (moved.name, moved.version) == ("soc-2", 2)
    with pytest.raises(ChangedMeanwhile):
        service.change_channel(ADMIN, channel.id, ROBOT, version=1)
    with pytest.raises(ChangedMeanwhile):
        service.switch_channel(ADMIN, channel.id, enabled=False, version=1)
    with pytest.raises(ChannelInvalid, match="keeps its kind"):
        service.change_channel(ADMIN, channel.id, replace(ROBOT, kind="feishu"), version=2)
    make(home, replace(ROBOT, name="soc-3"))
    with pytest.raises(ChannelNameTaken):
        make(home, replace(ROBOT, name="soc-3"))


def test_an_organisation_has_so_many_channels(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 1)
    make(home)
    with pytest.raises(TooManyKept):
        make(home, HOOK)


def test_a_test_message_takes_the_way_that_all_take(home: House) -> None:
    channel, service = make(home, replace(ROBOT, language="en")), home.services.notifications
    message = service.channels.test_channel(ADMIN, channel.id)
    assert message.state == "queued"
    deliver(home)
    assert texts(home) == [f"A test of this channel\nsoc\n{SITE}/notifications/channels"]
    off = service.channels.switch_channel(ADMIN, channel.id, enabled=False, version=1)
    assert not off.enabled
    with pytest.raises(ChannelDisabled):
        service.channels.test_channel(ADMIN, channel.id)


def test_a_name_means_the_organisations_own_channel_then_the_settings_then_the_inbox(
    home: House,
) -> None:
    def named(org_id: str, name: str) -> str:
        return home.spine.parts.transactions.read(
            lambda tx: name_of(home.surroundings, tx, org_id, name).id
        )

    own = make(home, replace(ROBOT, name="duty"))
    assert named(ADMIN.org_id, "duty") == own.id
    assert named("org_b", "duty") == "settings:duty"
    assert named(ADMIN.org_id, "default") == "inbox"
    with pytest.raises(ChannelUnknown):
        named("org_b", "soc")


# the way out


def test_a_message_leaves_once_with_words_and_a_link(home: House) -> None:
    channel = make(home)
    first, again = send(home, channel), send(home, channel)
    assert first.id == again.id
    deliver(home)
    deliver(home)
    assert texts(home) == [f"标题 k\n正文\n{SITE}/alerts/1"]
    assert states(home) == {"k": "sent"}
    [told] = home.services.inbox.list_notifications(ANALYST, PageRequest(10)).items
    assert (told.channel, told.kind, told.title) == ("soc", "wecom", "标题 k")


def test_the_settings_channel_signs_and_nothing_secret_is_kept_in_the_clear(home: House) -> None:
    run_channel = StoredChannel(
        "settings:duty",
        ADMIN.org_id,
        "duty",
        "dingtalk",
        b"",
        "",
        "zh",
        enabled=True,
        changed_by="",
        changed_at=0,
    )
    make(home, HOOK)
    send(home, run_channel)
    deliver(home)
    [(url, _, _)] = home.outbound.posted
    assert "&timestamp=" in url
    assert "&sign=" in url
    everything = json.dumps(home.leaves()) + repr(kept(home))
    for secret in ("t0k", "s3cret", CANARY):
        assert secret not in everything


def test_mail_goes_to_the_channels_recipients_under_the_messages_key(home: House) -> None:
    send(home, make(home, MAIL))
    deliver(home)
    [mail] = home.mailer.sent
    assert mail.to == ("soc@example.gov.cn", "duty@xn--7st6m03o.cn")
    assert (mail.title, mail.key) == ("标题 k", "k")
    assert mail.text == f"正文\n{SITE}/alerts/1"


@pytest.mark.parametrize(
    ("draft", "answer", "error", "expected"),
    [
        (ROBOT, (200, b'{"errcode":93000}'), None, ("dead", "errcode 93000")),
        (ROBOT, (200, b'{"errcode":45009}'), None, ("queued", "errcode 45009")),
        (ROBOT, (502, b""), None, ("unknown", "HTTP 502")),
        (HOOK, (502, b""), None, ("queued", "HTTP 502")),
        (ROBOT, None, OutboundUncertain("x"), ("unknown", "outbound.uncertain")),
        (HOOK, None, OutboundUncertain("x"), ("queued", "outbound.uncertain")),
        (ROBOT, None, OutboundFailed("x"), ("queued", "outbound.failed")),
        (ROBOT, None, OutboundRefused("x"), ("dead", "outbound.refused")),
        (ROBOT, None, Invalid("x"), ("dead", "kernel.invalid")),
        (MAIL, None, MailNotTaken("x"), ("queued", "mail.not_taken")),
        (MAIL, None, MailNotTaken("x", permanent=True), ("dead", "mail.not_taken")),
        (MAIL, None, MailUncertain("x"), ("unknown", "mail.uncertain")),
    ],
)
def test_what_was_not_taken_comes_again_and_what_nobody_knows_does_not(
    home: House,
    draft: ChannelDraft,
    answer: tuple[int, bytes] | None,
    error: Any,
    expected: tuple[str, str],
) -> None:
    if answer is not None:
        home.outbound.answer = answer
    home.outbound.error = home.mailer.error = error
    send(home, make(home, draft))
    deliver(home)
    [message] = kept(home)
    assert (message.state, message.trouble) == expected
    deliver(home)
    assert len(home.outbound.posted) + len(home.mailer.sent) <= 1  # back-off


def test_after_eight_tries_a_message_is_dead_and_says_why(home: House) -> None:
    home.outbound.error = OutboundFailed("x")
    send(home, make(home))
    for _ in range(12):
        deliver(home)
        home.clock.advance(2 * 3_600)
    [message] = kept(home, "stuck")
    assert (message.state, message.tries, message.trouble) == ("dead", 8, "outbound.failed")
    assert len(home.outbound.posted) == 8
    [leaf] = [one for one in home.leaves() if one["action"] == "playbooks.send_message"]
    assert (leaf["outcome"], leaf["details"]["tries"]) == ("failed", 8)


def killed_while_posting(home: House, channel: StoredChannel) -> None:
    """Post a message in a process that dies between the call and its record."""

    class Killed(BaseException):
        pass

    real = home.outbound.post

    def post(*given: Any, **more: Any) -> Any:
        real(*given, **more)
        raise Killed

    send(home, channel)
    home.outbound.post = post  # type: ignore[method-assign]
    with pytest.raises(Killed):
        deliver(home)
    home.outbound.post = real  # type: ignore[method-assign]


def test_a_robots_message_that_was_cut_off_is_unknown_and_never_repeated(home: House) -> None:
    killed_while_posting(home, make(home))
    deliver(home)
    assert states(home) == {"k": "sending"}
    home.clock.advance(61)
    deliver(home)
    assert states(home) == {"k": "unknown"}
    assert len(home.outbound.posted) == 1


def test_a_hook_that_sees_repeats_is_told_again_under_the_same_key(home: House) -> None:
    killed_while_posting(home, make(home, HOOK))
    home.clock.advance(61)
    deliver(home)
    home.clock.advance(60)
    deliver(home)
    keys = [dict(headers)["idempotency-key"] for _, _, headers in home.outbound.posted]
    assert keys == ["k", "k"]
    assert states(home) == {"k": "sent"}


def test_a_late_outcome_of_a_lost_try_changes_nothing(home: House) -> None:
    channel = make(home)
    message = send(home, channel)
    stale = replace(message, state="sending", tries=1)
    assert not home.spine.parts.transactions.run(
        lambda tx: home.surroundings.stores.notifications.outgoing.move(
            tx, replace(stale, state="sent"), "sending", 1
        )
    )
    assert states(home) == {"k": "queued"}


def test_what_is_too_much_for_a_robot_becomes_one_digest(home: House) -> None:
    channel = make(home)
    for number in range(30):
        send(home, channel, f"m{number:02d}")
    deliver(home)
    assert len(home.outbound.posted) == 20
    assert texts(home)[-1].startswith("11 条通知合并发送\n· 标题 m")
    assert f"……另有 1 条\n{SITE}" in texts(home)[-1]
    send(home, channel, "later")
    deliver(home)
    assert len(home.outbound.posted) == 20
    home.clock.advance(61)
    deliver(home)
    assert texts(home)[-1].startswith("标题 later")
    found = list(states(home).values())
    assert (found.count("sent"), found.count("digested")) == (21, 11)


def test_two_organisations_on_the_settings_channel_share_a_limit_and_no_digest(
    home: House,
) -> None:
    for org_id in (ADMIN.org_id, "org_b"):
        shared = StoredChannel(
            "settings:duty",
            org_id,
            "duty",
            "dingtalk",
            b"",
            "",
            "zh",
            enabled=True,
            changed_by="",
            changed_at=0,
        )
        for number in range(15):
            send(home, shared, f"{org_id} {number}")
    deliver(home)
    assert len(home.outbound.posted) == 20
    assert not any("org_b" in text and ADMIN.org_id in text for text in texts(home))


def test_urgent_messages_leave_first(home: House) -> None:
    channel = make(home)
    send(home, channel, "a")
    send(home, channel, "b", urgent=True, drill=True)
    deliver(home)
    assert [text.splitlines()[0] for text in texts(home)] == ["【演练】标题 b", "标题 a"]


def test_messages_of_a_channel_that_is_off_or_gone_are_dead_letters(home: House) -> None:
    channel = make(home)
    home.services.notifications.channels.switch_channel(ADMIN, channel.id, enabled=False, version=1)
    send(home, channel)
    send(home, replace(channel, id="chn_gone"), "gone")
    send(home, replace(channel, id="settings:gone"), "unset")
    deliver(home)
    assert {one.key: one.trouble for one in kept(home, "dead")} == {
        "k": "playbooks.channel_disabled",
        "gone": "playbooks.channel_unknown",
        "unset": "playbooks.channel_unknown",
    }


def test_while_the_key_pool_is_locked_messages_wait_and_none_dies(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(home, make(home))
    box = home.surroundings.ports.secret_box
    with monkeypatch.context() as locked:

        def refuse(sealed: bytes, aad: bytes) -> bytes:
            raise Invalid  # whatever the pool says: no message dies of it

        locked.setattr(box, "open", refuse)
        for _ in range(10):
            deliver(home)
            home.clock.advance(60)
    deliver(home)
    assert states(home) == {"k": "sent"}


def test_a_fault_in_one_message_keeps_no_other_waiting(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(home, make(home, MAIL), "a")
    send(home, make(home), "b")
    monkeypatch.setattr(home.mailer, "send", lambda mail: 1 / 0)
    deliver(home)
    assert states(home) == {"a": "unknown", "b": "sent"}


def test_a_full_queue_takes_no_more(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    channel = make(home)
    send(home, channel, "a")
    with pytest.raises(TooManyKept):
        send(home, channel, "b")


# dead letters


def stuck(home: House) -> Outgoing:
    home.outbound.answer = (200, b'{"errcode":93000}')
    message = send(home, make(home), subject="incident:inc_1")
    deliver(home)
    home.outbound.answer = (200, b'{"errcode":0}')
    return message


def test_a_person_sends_a_dead_letter_again_or_drops_it_and_says_why(home: House) -> None:
    message, service = stuck(home), home.services.notifications.messages
    with pytest.raises(Invalid):
        service.resend_message(ANALYST, message.id, reason=" ")
    service.resend_message(ANALYST, message.id, reason="地址已更正")
    deliver(home)
    assert states(home) == {"k": "sent"}
    for decide in (service.resend_message, service.drop_message):
        with pytest.raises(MessageSettled):
            decide(ANALYST, message.id, reason="x")
    [leaf] = [one for one in home.leaves() if one["action"] == "playbooks.resend_message"][:1]
    assert leaf["details"] == {"reason": "地址已更正", "was": "dead", "why": "errcode 93000"}
    assert service.show_message(ADMIN, message.id).state == "sent"


def test_a_dropped_message_stays_in_the_list(home: House) -> None:
    message, service = stuck(home), home.services.notifications.messages
    with pytest.raises(MessageUnknown):
        service.drop_message(FOREIGN, message.id, reason="x")
    with pytest.raises(Forbidden):
        service.drop_message(APPROVER, message.id, reason="x")
    assert service.drop_message(ADMIN, message.id, reason="已电话告知").state == "dropped"
    assert [one.key for one in kept(home, "dropped")] == ["k"]
    with pytest.raises(Invalid):
        kept(home, "lost")


# subscriptions


def subscribe(home: House, target: str, event: str = "alert", **given: Any) -> str:
    new = NewSubscription(event, target, **given)
    return home.services.notifications.subscriptions.subscribe(APPROVER, new).id


def raised(home: House, alert_id: str = "alr_1") -> Delivery:
    severity = "high"
    announcement = AlertRaised(ADMIN.org_id, alert_id, "rule", severity, {})
    return Delivery(1, home.clock.now(), announcement)


def test_an_alert_is_told_once_to_whoever_subscribed_however_often_it_is_delivered(
    home: House,
) -> None:
    herald = home.services.notifications.herald
    herald.alert_raised(raised(home))
    subscribe(home, f"channel:{make(home).id}")
    for _ in range(2):
        herald.alert_raised(raised(home))
    herald.alert_raised(raised(home, "alr_unknown"))
    herald.alert_raised(Delivery(2, 0, SessionRevoked(ADMIN.org_id, "s", "a", "r")))
    deliver(home)
    [text] = texts(home)
    assert text.startswith("告警(")
    assert text.endswith(f"{SITE}/alerts/alr_1")


def test_quiet_hours_keep_a_message_until_they_end(home: House) -> None:
    minute = (home.clock.now() // MINUTE + 8 * 60) % (24 * 60)
    subscribe(
        home,
        f"channel:{make(home).id}",
        quiet_from=minute,
        quiet_until=(minute + 60) % (24 * 60),
    )
    home.services.notifications.herald.alert_raised(raised(home))
    [message] = kept(home)
    assert 59 * MINUTE < message.next_at - home.clock.now() <= HOUR


def test_an_incident_is_told_when_it_opens_and_when_it_is_judged(home: House) -> None:
    subscribe(home, f"channel:{make(home, HOOK).id}", "incident", min_severity="low")
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    herald = home.services.notifications.herald
    assert not herald.look()
    assert not herald.look()
    deliver(home)
    [(_, body, _)] = home.outbound.posted
    assert json.loads(body)["title"].startswith("An incident opened or judged (")
    assert json.loads(body)["text"] == f"{SITE}/incidents/{incident.id}"


def test_what_happened_before_somebody_subscribed_is_not_told(home: House) -> None:
    home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    home.clock.advance(1)
    subscribe(home, f"channel:{make(home).id}", "incident", min_severity="low")
    home.services.notifications.herald.look()
    assert kept(home) == []


BAD_SUBSCRIPTIONS: tuple[dict[str, Any], ...] = (
    {"event": "weather"},
    {"min_severity": "huge"},
    {"quiet_from": 1_440},
    {"quiet_until": -1},
    {"target": "channel:chn_foreign"},
    {"target": "roster:ros_foreign"},
    {"target": "acc_1"},
)


def test_a_subscription_names_what_there_is(home: House) -> None:
    for bad in BAD_SUBSCRIPTIONS:
        with pytest.raises(SubscriptionInvalid):
            subscribe(home, **{"target": "channel:x", **bad})


def test_another_organisations_channel_is_nobodys_target(home: House) -> None:
    foreign = home.services.notifications.channels.create_channel(FOREIGN, ROBOT)
    with pytest.raises(SubscriptionInvalid):
        subscribe(home, f"channel:{foreign.id}")


def test_a_subscription_ends(home: House) -> None:
    service = home.services.notifications.subscriptions
    wanted = subscribe(home, f"channel:{make(home).id}")
    assert [one.id for one in service.list_subscriptions(ANALYST)] == [wanted]
    with pytest.raises(Forbidden):
        service.unsubscribe(ANALYST, wanted)
    service.unsubscribe(APPROVER, wanted)
    with pytest.raises(SubscriptionUnknown):
        service.unsubscribe(APPROVER, wanted)


def test_a_receiver_in_trouble_keeps_no_other_channel_waiting(home: House) -> None:
    slow, quick = make(home, ROBOT), make(home, HOOK)
    for number in range(5):
        send(home, slow, f"s{number}")
    home.outbound.error = OutboundFailed("down")
    deliver(home)
    assert len(home.outbound.posted) == 1, "the channel rests after the first"
    home.outbound.error = None
    send(home, quick, "q")
    deliver(home)
    assert states(home)["q"] == "sent"
    assert states(home)["s1"] == "queued"
    home.clock.advance(60)
    deliver(home)
    assert set(states(home).values()) == {"sent"}
