"""What carries codes and notices to people outside, from the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast, get_args

from iam.adapters.message_gateway import MessageGateway
from iam.core.message_addresses import normal_address
from iam.errors import AddressInvalid, MessageNotSent
from iam.models.messages import CarriedMessage
from iam.models.messages import Channel as IamChannel
from iam.ports import MessageCarrier
from playbooks.ports import Mailer, OutgoingMail
from playbooks.ports.notifications import NoMailer
from secops.adapters.mail_server import Encryption, Mail, MailServer
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.kernel.clock import Clock
from secops.kernel.errors import SecopsError
from secops.settings import Settings, SettingsRejected, is_loopback, listed

_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,5}")
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class MailCarrier:
    """Implements ``iam.ports.MessageCarrier`` with the operator's mail server."""

    server: MailServer

    @property
    def channel(self) -> IamChannel:
        """Mail."""
        return "mail"

    def carry(self, message: CarriedMessage) -> None:
        """Hand it over; raise ``MessageNotSent`` unless the server takes it in time."""
        try:
            self.server.send(Mail((message.to,), message.title, message.text, message.key))
        except SecopsError as error:
            raise MessageNotSent(error.detail) from None


@dataclass(frozen=True, slots=True)
class PlaybooksMailer:
    """Implements ``playbooks.ports.Mailer`` with the operator's mail server."""

    server: MailServer

    def send(self, mail: OutgoingMail) -> None:
        """Hand it over; raises as the adapter does."""
        self.server.send(Mail(mail.to, mail.title, mail.text, mail.key))


def mailer(settings: Settings) -> Mailer:
    """Return what carries the response plane's mails; one that refuses where none is set."""
    server = mail_server(settings)
    return NoMailer() if server is None else PlaybooksMailer(server)


def prefixes(settings: Settings) -> tuple[str, ...]:
    """Return the country codes that messages go to; raise ``SettingsRejected``."""
    found = listed(settings.message_prefixes)
    if not found or any(_PREFIX.fullmatch(prefix) is None for prefix in found):
        raise SettingsRejected("message_prefixes are country codes like +86, separated by commas")
    return found


def carriers(settings: Settings, clock: Clock) -> tuple[MessageCarrier, ...]:
    """Return whatever is set; raise ``SettingsRejected`` naming the bad setting."""
    found: list[MessageCarrier] = []
    if settings.sms_gateway_url:
        found.append(_gateway(settings, clock))
    server = mail_server(settings)
    if server is not None:
        found.append(MailCarrier(server))
    return tuple(found)


def _gateway(settings: Settings, clock: Clock) -> MessageGateway:
    if not settings.sms_gateway_url.startswith(("https://", "http://")):
        raise SettingsRejected("sms_gateway_url is an https address")
    inside = listed(settings.sms_gateway_allow)
    if settings.sms_gateway_url.startswith("http://") and not inside:
        raise SettingsRejected("sms_gateway_url is https, or lies in sms_gateway_allow")
    outbound = OutboundClient(OutboundOptions(allowed=inside))
    return MessageGateway(outbound, clock, settings.sms_gateway_url, settings.sms_gateway_secret)


def mail_server(settings: Settings) -> MailServer | None:
    """Return the operator's mail server; None where none is set. Raise ``SettingsRejected``."""
    if not settings.mail_server:
        return None
    host, _, port = settings.mail_server.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MAX_PORT:
        raise SettingsRejected("mail_server is HOST:PORT")
    if settings.mail_encryption not in get_args(Encryption):
        raise SettingsRejected("mail_encryption is starttls, tls or none")
    host = host.strip("[]")
    if settings.mail_encryption == "none" and not (host == "localhost" or is_loopback(host)):
        raise SettingsRejected("mail_encryption none is for a server on this machine only")
    if bool(settings.mail_user) != bool(settings.mail_password):
        raise SettingsRejected("mail_user and mail_password come together")
    try:
        sender = normal_address("mail", settings.mail_sender, ())
    except AddressInvalid as error:
        raise SettingsRejected("mail_sender is a mail address") from error
    return MailServer(
        host=host,
        port=int(port),
        sender=sender,
        encryption=cast("Encryption", settings.mail_encryption),
        user=settings.mail_user,
        password=settings.mail_password,
        ca_file=str(settings.home / settings.mail_ca) if settings.mail_ca else "",
    )
