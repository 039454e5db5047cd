"""The written form of a share, and the plan that the root's envelope keeps of its set.

Version (1 byte), set (8), threshold (1), index (1), value, checksum (4), in base 32 (RFC 4648
§6) and groups of four. The checksum finds slips of the pen without any secret; whether a
share is one of its set tell the marks in the plan: one-way over 256 random bits, so that
they say nothing of the value, and a false share is named before anything is combined.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any, Final

from kms.core.shamir.scheme import check_numbers
from kms.errors.shares import ShareMalformed, ShareOfAnotherSet, ShareRefused
from kms.models.shares import Share, SharePlan
from secops.crypto.hashes import sha256
from secops.kernel.errors import Invalid

VERSION: Final = 1
SET_LENGTH: Final = 8
SECRET_LENGTH: Final = 32
MAX_TEXT: Final = 200
MAX_HOLDER: Final = 64
_HEAD: Final = 3 + SET_LENGTH
_CHECKSUM: Final = 4
_LENGTH: Final = _HEAD + SECRET_LENGTH + _CHECKSUM
_GROUP: Final = 4


def plan_fields(plan: SharePlan) -> dict[str, Any]:
    """Return ``plan`` as JSON holds it."""
    return {
        "set": plan.set_id.hex(),
        "threshold": plan.threshold,
        "holders": list(plan.holders),
        "marks": [mark.hex() for mark in plan.marks],
    }


def read_plan(fields: Mapping[str, Any]) -> SharePlan:
    """Return the plan in ``plan_fields``; raise ``Invalid`` for anything else."""
    try:
        plan = SharePlan(
            bytes.fromhex(fields["set"]),
            fields["threshold"],
            tuple(str(name) for name in fields["holders"]),
            tuple(bytes.fromhex(mark) for mark in fields["marks"]),
        )
        check_numbers(plan.shares, plan.threshold)
    except (KeyError, ValueError, TypeError) as error:
        msg = "the plan of shares is malformed"
        raise Invalid(msg) from error
    if len(plan.marks) != plan.shares or len(plan.set_id) != SET_LENGTH:
        msg = "the plan of shares is malformed"
        raise Invalid(msg)
    return plan


def demand_share(plan: SharePlan, share: Share) -> None:
    """Return if ``share`` is one of the set; raise ``ShareOfAnotherSet`` or ``ShareRefused``."""
    if share.set_id != plan.set_id:
        msg = f"the share belongs to set {share.set_id.hex()}, in force is {plan.set_id.hex()}"
        raise ShareOfAnotherSet(msg)
    if not 1 <= share.index <= plan.shares or share.threshold != plan.threshold:
        msg = "there is no share of that number in the set"
        raise ShareRefused(msg)
    if not hmac.compare_digest(mark_of(share), plan.marks[share.index - 1]):
        msg = f"share {share.index} is not the one that was given out"
        raise ShareRefused(msg)


def mark_of(share: Share) -> bytes:
    """Return the one-way mark by which a share is known again."""
    return sha256(b"kms share mark v1" + _body(share))


def write_share(share: Share) -> str:
    """Return ``share`` as it is printed: base 32 in groups of four."""
    body = _body(share)
    text = base64.b32encode(body + sha256(body)[:_CHECKSUM]).decode().rstrip("=")
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def read_share(text: str) -> Share:
    """Return the share in ``text``: spaces, dashes and case don't matter.

    Raises ``ShareMalformed``, which never shows what was typed.
    """
    letters = "".join(text.split()).replace("-", "").upper() if len(text) <= MAX_TEXT else ""
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError) as error:
        msg = "a share is written in the letters A to Z and the digits 2 to 7"
        raise ShareMalformed(msg) from error
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if len(data) != _LENGTH or not hmac.compare_digest(sha256(body)[:_CHECKSUM], checksum):
        msg = "the share was not typed as it was printed"
        raise ShareMalformed(msg)
    share = Share(body[1 : 1 + SET_LENGTH], body[_HEAD - 2], body[_HEAD - 1], body[_HEAD:])
    if body[0] != VERSION or letters.rstrip("=") != write_share(share).replace("-", ""):
        msg = f"the share is not of version {VERSION}"
        raise ShareMalformed(msg)
    return share


def check_holders(holders: tuple[str, ...]) -> None:
    """Return if ``holders`` are names that can be told apart; raise ``Invalid``."""
    sound = all(name.isprintable() and 0 < len(name.strip()) <= MAX_HOLDER for name in holders)
    if not sound or len({name.strip() for name in holders}) != len(holders):
        msg = f"each share has a holder of its own, a name of 1 to {MAX_HOLDER} characters"
        raise Invalid(msg)


def _body(share: Share) -> bytes:
    head = bytes((VERSION,)) + share.set_id + bytes((share.threshold, share.index))
    return head + share.value
