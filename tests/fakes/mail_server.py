"""A mail server that takes what it is given (RFC 5321), with or without TLS, well or badly."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class FakeMailServer:
    """Listens on a free port until ``close``. ``trouble`` is what goes wrong.

    ``no_starttls`` hides it, ``refuse`` refuses the recipient, ``silent`` never greets,
    ``drip`` greets a byte at a time, ``hang_up`` leaves right after the mail was taken,
    ``vanish`` without a word about it.
    """

    trouble: str = ""
    authority: Path | None = None
    from_start: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            with contextlib.suppress(OSError), plain:
                self._talk(self._wrapped(plain) if self.from_start else plain)

    def _wrapped(self, plain: socket.socket) -> ssl.SSLSocket:
        assert self.authority is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = self.authority.parent
        context.load_cert_chain(folder / "node.pem", folder / "node.key")
        return context.wrap_socket(plain, server_side=True)

    def _talk(self, stream: socket.socket) -> None:
        if self.trouble == "silent":
            self._stopped.wait(10)
            stream.close()
            return
        if self.trouble == "drip":
            while not self._stopped.wait(0.02):
                stream.sendall(b"2")
            return
        stream.sendall(b"220 fake\r\n")
        try:
            self._answer_all(stream, encrypted=isinstance(stream, ssl.SSLSocket))
        finally:
            stream.close()

    def _answer_all(self, stream: socket.socket, *, encrypted: bool) -> None:
        lines = stream.makefile("rb")
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"STAR":
                stream.sendall(b"220 go on\r\n")
                with self._wrapped(stream) as inner:
                    self._answer_all(inner, encrypted=True)
                return
            if verb == b"DATA":
                stream.sendall(b"354 go on\r\n")
                self._take(lines)
                if self.trouble == "vanish":
                    return
                stream.sendall(b"250 taken\r\n")
                if self.trouble == "hang_up":
                    return
            else:
                stream.sendall(self._answer(verb, line, encrypted=encrypted))

    def _answer(self, verb: bytes, line: bytes, *, encrypted: bool) -> bytes:
        if verb == b"EHLO":
            hidden = encrypted or self.authority is None or self.trouble == "no_starttls"
            offer = b"AUTH PLAIN" if hidden else b"STARTTLS"
            return b"250-fake\r\n250 " + offer + b"\r\n"
        if verb == b"AUTH":
            self.logins.append(base64.b64decode(line.split()[-1]).decode())
            return b"235 welcome\r\n"
        if verb == b"RCPT":
            self.recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
            if self.trouble == "refuse":
                return b"550 " + line.strip() + b" is nobody here\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n"

    def _take(self, lines: object) -> None:
        content = b""
        while (line := lines.readline()) not in (b".\r\n", b""):  # type: ignore[attr-defined]
            content += line
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
