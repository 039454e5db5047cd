"""The token out of what an authority answered (RFC 3161 §2.4.2)."""

from __future__ import annotations

from typing import Final

from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import INTEGER, OBJECT_IDENTIFIER, SEQUENCE

_GRANTED: Final = (0, 1)
_MAX_TEXT: Final = 200


def token_in(content: bytes) -> bytes:
    """Return the token that ``content`` is, or that the TimeStampResp in it holds.

    Raises ``DerError``: malformed, or the authority refused, then with its words.
    """
    fields = read_der(content).sequence("TimeStampResp or token", 1, 2)
    if fields[0].tag == OBJECT_IDENTIFIER:
        return content
    status = fields[0].sequence("PKIStatusInfo", 1, 2, 3)
    number = values.integer(status[0].expect(INTEGER, "status"), "status")
    if number not in _GRANTED or len(fields) == 1:
        fields[0].refuse(f"the authority gave no token: status {number}{_words(status)}")
    return fields[1].expect(SEQUENCE, "timeStampToken").raw


def _words(status: tuple[Element, ...]) -> str:
    """Return what PKIFreeText says, printable and short: a stranger wrote it."""
    texts = status[1].children if len(status) > 1 and status[1].tag == SEQUENCE else ()
    said = " ".join(values.utf8(text, "statusString") for text in texts)
    shown = "".join(letter for letter in said if letter.isprintable())[:_MAX_TEXT]
    return f", {shown}" if shown else ""
