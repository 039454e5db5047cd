"""How many failures are too many (GB/T 22239-2019 8.1.4.1 b; NIST SP 800-63B-4 §3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.models.credentials import Attempts
from secops.kernel.clock import DAY, HOUR, MINUTE


@dataclass(frozen=True, slots=True)
class Limit:
    """``failures`` within ``window`` lead to refusal for ``refusal`` (microseconds)."""

    failures: int
    window: int
    refusal: int


ACCOUNT: Final = Limit(failures=5, window=30 * MINUTE, refusal=30 * MINUTE)
DEVICE: Final = Limit(failures=10, window=30 * MINUTE, refusal=30 * MINUTE)
ADDRESS: Final = Limit(failures=50, window=30 * MINUTE, refusal=30 * MINUTE)
FACTOR: Final = Limit(failures=5, window=5 * MINUTE, refusal=5 * MINUTE)
HOURLY: Final = Limit(failures=100, window=HOUR, refusal=HOUR)
MESSAGE_PAUSE: Final = Limit(failures=1, window=MINUTE, refusal=MINUTE)
MESSAGE_ACCOUNT: Final = Limit(failures=5, window=HOUR, refusal=HOUR)
MESSAGE_BLOCK: Final = Limit(failures=200, window=HOUR, refusal=HOUR)
MESSAGE_NUMBER: Final = Limit(failures=10, window=DAY, refusal=DAY)
MESSAGE_HOUSE: Final = Limit(failures=2_000, window=HOUR, refusal=HOUR)
"""Codes sent: for whom, from where, to whom, and in all. Sending costs money, and whoever owns
a number can earn by it (SMS pumping); the last bounds the bill if all others are got round."""

LIMITS: Final = {
    "account": ACCOUNT,
    "device": DEVICE,
    "address": ADDRESS,
    "factor": FACTOR,
    "hourly": HOURLY,
    "message_pause": MESSAGE_PAUSE,
    "message_account": MESSAGE_ACCOUNT,
    "message_block": MESSAGE_BLOCK,
    "message_number": MESSAGE_NUMBER,
    "message_house": MESSAGE_HOUSE,
}

NONE_YET: Final = Attempts(failures=0, since=0, until=0)


def refused(attempts: Attempts, now: int) -> bool:
    """Tell whether the counter refuses at ``now``."""
    return now < attempts.until


def after_failure(attempts: Attempts, limit: Limit, now: int) -> Attempts:
    """Return the counter after one more failure at ``now``."""
    fresh = now - attempts.since >= limit.window
    failures = 1 if fresh else attempts.failures + 1
    since = now if fresh else attempts.since
    until = now + limit.refusal if failures >= limit.failures else attempts.until
    return Attempts(failures=failures, since=since, until=until)
