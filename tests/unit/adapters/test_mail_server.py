"""The mail server's adapter tells what was not taken from what nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from secops.adapters.mail_server import (
    MAX_RECIPIENTS,
    MAX_TEXT,
    Mail,
    MailNotTaken,
    MailServer,
    MailUncertain,
)
from tests.fakes.mail_server import FakeMailServer

pytestmark = pytest.mark.network
SENDER = "no-reply@example.gov.cn"
MAIL = Mail(("a@example.cn", "b@xn--7st6m03o.cn"), "标题", "正文", "k1")
Start = Callable[..., FakeMailServer]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[FakeMailServer] = []

    def begin(**given: Any) -> FakeMailServer:
        running.append(FakeMailServer(**given))
        return running[-1]

    yield begin
    for server in running:
        server.close()


def send(server: FakeMailServer, mail: Mail = MAIL) -> None:
    MailServer("localhost", server.port, SENDER, "none").send(mail)


def test_one_mail_goes_to_all_its_recipients_under_its_key(start: Start) -> None:
    server = start()
    send(server)
    assert server.recipients == list(MAIL.to)
    [mail] = server.mails
    assert mail["To"] == "a@example.cn, b@xn--7st6m03o.cn"
    assert mail["Message-ID"] == "<k1@example.gov.cn>"


def test_a_refused_recipient_is_permanent_and_nothing_was_sent(start: Start) -> None:
    server = start(trouble="refuse")
    with pytest.raises(MailNotTaken) as refused:
        send(server)
    assert refused.value.facts == {"permanent": True}
    assert server.mails == []


def test_a_server_that_goes_away_with_the_mail_leaves_its_fate_unknown(start: Start) -> None:
    with pytest.raises(MailUncertain) as lost:
        send(start(trouble="vanish"))
    assert "example.cn" not in str(lost.value)


def test_a_server_that_can_not_be_reached_may_be_tried_again() -> None:
    server = FakeMailServer()
    server.close()
    with pytest.raises(MailNotTaken) as failed:
        send(server)
    assert failed.value.facts == {"permanent": False}


@pytest.mark.parametrize(
    "mail",
    [
        Mail((), "t", "x", "k"),
        Mail(("a@b.cn",) * (MAX_RECIPIENTS + 1), "t", "x", "k"),
        Mail(("a@b.cn",), "t", "x" * (MAX_TEXT + 1), "k"),
        Mail(("a@b.cn\r\nBcc: c@d.cn",), "t", "x", "k"),
        Mail(("a@b.cn> SIZE=1",), "t\r\nBcc: c@d.cn", "x", "k"),
        Mail(("张@b.cn",), "t", "x", "k"),
        Mail(("a@b.cn",), "t\nBcc: c@d.cn", "x", "k"),
    ],
)
def test_what_is_too_much_or_smuggles_a_header_never_leaves(start: Start, mail: Mail) -> None:
    server = start()
    with pytest.raises(MailNotTaken) as refused:
        send(server, mail)
    assert refused.value.facts == {"permanent": True}
    assert (server.mails, server.recipients) == ([], [])
