"""One-time codes that travel over a second channel (NIST SP 800-63B-4 §3.1.3), and their words.

Eight digits: an authenticator app's codes have six, so nobody's code is taken for the other.
"""

from __future__ import annotations

from typing import Final

from iam.models.messages import Channel
from secops.kernel.catalogue import Text
from secops.kernel.clock import MINUTE

DIGITS: Final = 8
CODE_LIFETIME: Final = 5 * MINUTE
"""NIST SP 800-63B-4 §3.1.3.2 allows ten; a code is in nobody's hands for longer than it needs."""
RANDOM_BYTES: Final = 16
LEVEL: Final = 1
"""A restricted authenticator: numbers are ported, messages are read on locked screens and mail
proves no device, so a sign-in with such a code reaches the first level, never the second."""
WORDS: Final[dict[Channel, str]] = {"sms": "sms", "mail": "mail"}
"""``sms`` is a word of RFC 8176; ``mail`` is ours, since that has none. Neither is ``mfa``."""

SIGN_IN: Final = Text(
    "验证码 {code},{minutes} 分钟内有效,仅用于登录 {site}。工作人员不会索要,请勿告知他人;"
    "若非本人操作,请立即修改口令。",
    "{code} is your code for signing in to {site}, valid for {minutes} minutes. Nobody will ask "
    "you for it; if it was not you, change your password now.",
)
CONFIRM: Final = Text(
    "验证码 {code},{minutes} 分钟内有效,用于在 {site} 登记此联系方式。若非本人操作,请忽略。",
    "{code} is the code that adds this address to your account at {site}, valid for {minutes} "
    "minutes. If it was not you, ignore it.",
)
TITLE: Final = Text("登录验证码", "Your code")


def code_of(random: bytes) -> str:
    """Return a code of ``RANDOM_BYTES`` random bytes; their number makes the bias nothing."""
    return f"{int.from_bytes(random, 'big') % 10**DIGITS:0{DIGITS}d}"


def is_code(text: str) -> bool:
    """Tell whether ``text`` has the shape of such a code."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()
