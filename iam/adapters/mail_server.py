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

from iam.errors import MessageNotSent
from iam.models.messages import CarriedMessage, Channel

TIMEOUT_SECONDS: Final = 5.0
Encryption = Literal["starttls", "tls", "none"]


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

    @property
    def channel(self) -> Channel:
        """Mail."""
        return "mail"

    def carry(self, message: CarriedMessage) -> None:
        """Hand it over; raise ``MessageNotSent`` unless the server takes it in time."""
        try:
            self._send(self._mail(message), message.to)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # a server's answer may quote the address
            msg = f"the mail server did not take it: {type(error).__name__}"
            raise MessageNotSent(msg) from None

    def _mail(self, message: CarriedMessage) -> EmailMessage:
        """Return the mail; headers with line breaks raise ``ValueError``."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.sender
        mail["To"] = message.to
        mail["Subject"] = message.title
        mail["Message-ID"] = f"<{message.key}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(message.text, cte="base64")
        return mail

    def _send(self, mail: EmailMessage, to: str) -> None:
        # smtplib's time-out is for each read: a byte now and then would hold us for hours
        with (
            socket.create_connection((self.host, self.port), TIMEOUT_SECONDS) as raw,
            raw.dup() as handle,  # TLS takes the first one over; both are the same connection
        ):
            watchdog = threading.Timer(TIMEOUT_SECONDS, _cut, (handle,))
            watchdog.daemon = True
            watchdog.start()
            try:
                self._converse(raw, mail, to)
            finally:
                watchdog.cancel()

    def _converse(self, raw: socket.socket, mail: EmailMessage, to: str) -> None:
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
            server.send_message(mail, self.sender, [to])
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


def _cut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
