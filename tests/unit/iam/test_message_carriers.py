"""What carries messages out: a gateway's webhook and a mail server, honest, broken and hostile."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iam.adapters.message_gateway import MessageGateway
from iam.errors import MessageNotSent
from iam.models.messages import CarriedMessage
from secops.adapters import mail_server
from secops.adapters.mail_server import MailServer
from secops.adapters.outbound import OutboundFailed
from secops.bridges.messages import MailCarrier, carriers, prefixes
from secops.kernel.clock import SECOND
from secops.settings import Settings, SettingsRejected
from tests.fakes.clock import START, FakeClock
from tests.fakes.mail_server import FakeMailServer
from tests.fakes.outbound import FakeOutbound
from tests.services.certificates import write_authority

MESSAGE = CarriedMessage(
    to="zhang.wei@example.gov.cn",
    template="sign_in",
    title="登录验证码",
    text="验证码 12345678,5 分钟内有效。",
    key="msg_1",
    parameters={"code": "12345678", "minutes": "5"},
)
SENDER = "no-reply@example.gov.cn"


def gateway(outbound: FakeOutbound, secret: str = "s3cret") -> MessageGateway:
    return MessageGateway(outbound, FakeClock(), "https://sms.example.cn/v1?k=token", secret)  # type: ignore[arg-type]


def test_a_gateway_gets_a_signed_text_template_and_parameters() -> None:
    outbound = FakeOutbound()
    gateway(outbound).carry(replace(MESSAGE, to="+8613812345678"))
    [(url, body, headers)] = outbound.posted
    assert url == "https://sms.example.cn/v1?k=token"
    assert json.loads(body) == {
        "to": "+8613812345678",
        "template": "sign_in",
        "parameters": {"code": "12345678", "minutes": "5"},
        "text": MESSAGE.text,
        "key": "msg_1",
    }
    stamp = str(START // SECOND)
    right = hmac.new(b"s3cret", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-secops-signature"] == f"t={stamp},v1={right}"
    assert headers["idempotency-key"] == "msg_1"


def test_without_a_secret_nothing_is_signed() -> None:
    outbound = FakeOutbound()
    gateway(outbound, "").carry(MESSAGE)
    assert "x-secops-signature" not in outbound.posted[0][2]


@pytest.mark.parametrize(
    "trouble",
    [
        {"answer": (500, b"sent 12345678 to 13812345678")},
        {"answer": (302, b"")},
        {"error": OutboundFailed("sms.example.cn: refused")},
    ],
)
def test_a_gateway_in_trouble_says_nothing_of_the_message(trouble: dict[str, Any]) -> None:
    with pytest.raises(MessageNotSent) as failed:
        gateway(FakeOutbound(**trouble)).carry(MESSAGE)
    assert failed.value.__cause__ is None
    for secret in ("12345678", MESSAGE.to, "token"):
        assert secret not in str(failed.value)


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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_authority(tmp_path_factory.mktemp("office") / "tls", ["localhost"])


def client(server: FakeMailServer, encryption: str = "none", **more: Any) -> MailCarrier:
    return MailCarrier(MailServer("localhost", server.port, SENDER, encryption, **more))  # type: ignore[arg-type]


def trusting(server: FakeMailServer, authority: Path, encryption: str) -> MailCarrier:
    more = {"user": "robot", "password": "hunter2hunter2", "ca_file": str(authority)}
    return client(server, encryption, **more)


pytestmark = pytest.mark.network


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_a_mail_goes_over_verified_tls_and_the_password_only_inside(
    start: Start, authority: Path, encryption: str
) -> None:
    server = start(authority=authority, from_start=encryption == "tls")
    trusting(server, authority, encryption).carry(MESSAGE)
    [mail] = server.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, MESSAGE.to, MESSAGE.title)
    assert mail.get_content().strip() == MESSAGE.text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert server.recipients == [MESSAGE.to]
    assert server.logins == ["\0robot\0hunter2hunter2"]


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_gets_nothing(
    start: Start, authority: Path, encryption: str
) -> None:
    server = start(authority=authority, from_start=encryption == "tls")
    with pytest.raises(MessageNotSent, match="SSLCertVerificationError"):
        client(server, encryption, user="robot", password="hunter2").carry(MESSAGE)
    assert (server.mails, server.logins) == ([], [])


def test_who_cuts_starttls_out_of_the_conversation_gets_nothing(
    start: Start, authority: Path
) -> None:
    server = start(authority=authority, trouble="no_starttls")
    with pytest.raises(MessageNotSent, match="SMTPNotSupportedError"):
        trusting(server, authority, "starttls").carry(MESSAGE)
    assert (server.mails, server.logins) == ([], [])


def test_a_server_of_this_machine_is_spoken_to_without_tls_and_without_a_password(
    start: Start,
) -> None:
    server = start()
    client(server, user="robot", password="hunter2hunter2").carry(MESSAGE)
    assert (len(server.mails), server.logins) == (1, [])


def test_a_refusal_is_told_without_the_address_it_quotes(start: Start) -> None:
    with pytest.raises(MessageNotSent) as failed:
        client(start(trouble="refuse")).carry(MESSAGE)
    assert failed.value.__cause__ is None
    assert "zhang" not in str(failed.value)


def test_a_server_that_hangs_up_after_it_took_the_mail_did_its_work(start: Start) -> None:
    server = start(trouble="hang_up")
    client(server).carry(MESSAGE)
    assert len(server.mails) == 1


@pytest.mark.parametrize("trouble", ["silent", "drip"])
def test_a_server_that_never_gets_to_the_point_is_left_in_time(
    start: Start, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr(mail_server, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(MessageNotSent):
        client(start(trouble=trouble)).carry(MESSAGE)


@pytest.mark.parametrize(
    "bad",
    [{"to": "a@example.cn\r\nBcc: b@example.cn"}, {"title": "x\nBcc: b@example.cn"}],
)
def test_no_header_is_smuggled_in(start: Start, bad: dict[str, str]) -> None:
    server = start()
    with pytest.raises(MessageNotSent):
        client(server).carry(replace(MESSAGE, **bad))  # type: ignore[arg-type]
    assert server.mails == []


def test_a_closed_port_is_trouble() -> None:
    server = FakeMailServer()
    server.close()
    with pytest.raises(MessageNotSent, match="ConnectionRefusedError"):
        client(server).carry(MESSAGE)


# settings


def settings(**given: Any) -> Settings:
    return Settings(home=Path("/nowhere"), **given)


def test_what_is_set_carries() -> None:
    found = carriers(
        settings(
            sms_gateway_url="https://sms.example.cn/v1",
            mail_server="[::1]:25",
            mail_encryption="none",
            mail_sender=SENDER,
        ),
        FakeClock(),
    )
    assert [carrier.channel for carrier in found] == ["sms", "mail"]
    assert carriers(settings(), FakeClock()) == ()
    assert prefixes(settings(message_prefixes="+86, +852")) == ("+86", "+852")


@pytest.mark.parametrize(
    "bad",
    [
        {"sms_gateway_url": "ftp://sms.example.cn"},
        {"sms_gateway_url": "http://sms.example.cn"},
        {"mail_server": "mail.example.cn", "mail_sender": SENDER},
        {"mail_server": "mail.example.cn:0", "mail_sender": SENDER},
        {"mail_server": "mail.example.cn:99999", "mail_sender": SENDER},
        {"mail_server": "mail.example.cn:25", "mail_sender": "nobody"},
        {"mail_server": "mail.example.cn:25", "mail_sender": SENDER, "mail_encryption": "none"},
        {"mail_server": "mail.example.cn:25", "mail_sender": SENDER, "mail_encryption": "rot13"},
        {"mail_server": "mail.example.cn:25", "mail_sender": SENDER, "mail_user": "robot"},
    ],
)
def test_a_setting_that_would_send_in_the_clear_or_nowhere_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(SettingsRejected):
        carriers(settings(**bad), FakeClock())


@pytest.mark.parametrize("text", ["", "86", "+", "+86;+1", "+0"])
def test_a_prefix_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsRejected):
        prefixes(settings(message_prefixes=text))
