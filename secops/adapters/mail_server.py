"""Mail through the operator's server (RFC 5321), over verified TLS, within a time."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal

from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError, Unavailable

TIMEOUT_SECONDS: Final = 5.0
MAX_TEXT: Final = 65_536
"""Characters of a mail's text."""
MAX_RECIPIENTS: Final = 50
Encryption = Literal["starttls", "tls", "none"]


class MailNotTaken(Unavailable):
    """The server took nothing: no connection, no trust in it, or it refused.

    The fact ``permanent`` tells that it will refuse the same mail again (RFC 5321 §4.2.1: 5yz).
    """

    code = "mail.not_taken"
    title = Text("邮件服务器未接收邮件", "The mail server did not take the mail")
    remedy = Text(
        "请检查邮件服务器的设置、证书和收件地址。",
        "Check the mail server's settings, its certificate and the recipients.",
    )


class MailUncertain(SecopsError):
    """The whole mail was sent and no answer came: it may or may not have been taken."""

    code = "mail.uncertain"
    status = 502
    title = Text("邮件已发出但结果未知", "Sent, but whether it was taken is unknown")
    remedy = Text("请先向收件人核实,再决定是否重发。", "Ask a recipient before sending it again.")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to people who may see each other's addresses; ``key`` names it (Message-ID)."""

    to: tuple[str, ...] = field(repr=False)
    title: str
    text: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """Hands mails to ``host``; ``none`` leaves them unencrypted and is for this machine only.

    ``ca_file`` is trusted beside the system's roots. A name and password are only ever said
    inside TLS.
    """

    host: str
    port: int
    sender: str
    encryption: Encryption = "starttls"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""

    def send(self, mail: Mail) -> None:
        """Hand it over; raise ``MailNotTaken`` or, where nobody knows, ``MailUncertain``.

        The errors quote nothing that the server said: it may repeat an address.
        """
        stage = _Stage()
        try:
            self._send(self._message(mail), mail.to, stage)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            msg = f"the mail server did not take it: {type(error).__name__}"
            if stage.handed_over and not isinstance(error, smtplib.SMTPResponseException):
                raise MailUncertain(msg) from None
            raise MailNotTaken(msg, permanent=_is_permanent(error)) from None

    def _message(self, mail: Mail) -> EmailMessage:
        """Return the mail; headers with line breaks and what is too long raise ``ValueError``."""
        if not 0 < len(mail.to) <= MAX_RECIPIENTS or len(mail.text) > MAX_TEXT:
            msg = "no recipients, too many of them, or too long a text"
            raise ValueError(msg)
        if not all(address.isascii() and address.isprintable() for address in mail.to):
            msg = "an address is not ASCII"
            raise ValueError(msg)
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = ", ".join(mail.to)
        message["Subject"] = mail.title
        message["Message-ID"] = f"<{mail.key}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content(mail.text, cte="base64")
        return message

    def _send(self, mail: EmailMessage, to: tuple[str, ...], stage: _Stage) -> None:
        # smtplib's time-out is for each read: a byte now and then would hold us for hours
        with (
            socket.create_connection((self.host, self.port), TIMEOUT_SECONDS) as raw,
            raw.dup() as handle,  # TLS takes the first one over; both are the same connection
        ):
            watchdog = threading.Timer(TIMEOUT_SECONDS, _cut, (handle,))
            watchdog.daemon = True
            watchdog.start()
            try:
                self._converse(raw, mail, to, stage)
            finally:
                watchdog.cancel()

    def _converse(
        self, raw: socket.socket, mail: EmailMessage, to: tuple[str, ...], stage: _Stage
    ) -> None:
        stream: socket.socket = raw
        if self.encryption == "tls":
            stream = self._context().wrap_socket(raw, server_hostname=self.host)
        server = _Opened(stream, self.host)
        try:
            if self.encryption == "starttls":
                # raises unless the server offers it: never in the clear because somebody cut it out
                server.starttls(context=self._context())
            if self.user and self.encryption != "none":
                server.login(self.user, self.password)
            _hand_over(server, (self.sender, to), mail.as_bytes(), stage)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()  # it has been taken: a server that hangs up early changes nothing
        finally:
            server.close()

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


class _Opened(smtplib.SMTP):
    """An SMTP client over a connection that is there already."""

    def __init__(self, stream: socket.socket, host: str) -> None:
        super().__init__(local_hostname="localhost", timeout=TIMEOUT_SECONDS)
        self._host = host  # what starttls verifies the certificate against
        self.sock = stream
        code, _ = self.getreply()
        if code != _READY:
            raise smtplib.SMTPConnectError(code, b"")


_READY: Final = 220
_TAKEN: Final = 250
_FORWARDED: Final = 251
_PERMANENT: Final = range(500, 600)


@dataclass(slots=True)
class _Stage:
    """How far the conversation came."""

    handed_over: bool = False


def _hand_over(
    server: smtplib.SMTP, envelope: tuple[str, tuple[str, ...]], content: bytes, stage: _Stage
) -> None:
    """Speak the envelope and the mail; one refused recipient refuses the mail for all."""
    sender, recipients = envelope
    server.ehlo_or_helo_if_needed()
    for code, answer in (server.mail(sender), *(server.rcpt(one) for one in recipients)):
        if code not in (_TAKEN, _FORWARDED):
            raise smtplib.SMTPResponseException(code, answer)
    stage.handed_over = True
    code, answer = server.data(content)
    if code != _TAKEN:
        raise smtplib.SMTPDataError(code, answer)


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code in _PERMANENT
    # SSLCertVerificationError is both: another certificate may be there the next time
    return isinstance(error, ValueError) and not isinstance(error, OSError)


def _cut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
