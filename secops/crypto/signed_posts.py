"""The signature on what we post to others' addresses: who receives it can tell it is ours."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from secops.kernel.clock import SECOND

HEADER: Final = "x-secops-signature"


def signed_post(secret: str, body: bytes, now: int) -> tuple[str, str]:
    """Return the header ``t=<seconds>,v1=<HMAC-SHA-256 of "seconds.body" in hex>``.

    ``now`` is in UTC microseconds; the time is signed too, so that an old post can be refused.
    """
    stamp = str(now // SECOND)
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hex()
    return HEADER, f"t={stamp},v1={digest}"
