"""Client certificates of our own TLS, handed on as a terminator in front would hand them on.

The handshake proves that the client holds the key; whether the certificate signs anybody in is
judged where people sign in. Pages learn of it by one header that is signed in this process;
what a client sends under that name is thrown away. Of whoever comes through a trusted proxy the
connection proves nothing: it is the proxy's.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Vouching:
    """Under which header (lower case), and with which signed word for a certificate in DER."""

    header: str
    word: Callable[[bytes], str]

    def vouch(self, environ: dict[str, Any], certificate: bytes) -> None:
        """Say in ``environ`` what the connection proved, and nothing that its client says."""
        name = f"HTTP_{self.header.upper().replace('-', '_')}"
        environ.pop(name, None)
        if certificate:
            environ[name] = self.word(certificate)


def ask_for_certificates(context: ssl.SSLContext, client_ca: str) -> None:
    """Ask clients for a certificate of ``client_ca`` (PEM); those without one are served too.

    No session is resumed by a ticket: whoever pulls their UKey out proves nothing any more.
    """
    context.load_verify_locations(client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


def proved_certificate(tls: ssl.SSLObject | None) -> bytes:
    """Return the certificate in DER whose key this very handshake proved, b"" if none."""
    if tls is None or tls.session_reused:
        return b""
    return tls.getpeercert(binary_form=True) or b""
