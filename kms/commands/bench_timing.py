"""Does the time of an operation tell about secrets? The size of the effect, measured here.

Two classes of inputs come in random order; what is printed is Cohen's d of their CPU times, after
the slowest tenth of each was cut off (what interrupts did). Below about 0.1 is small; a control
that compares byte by byte shows that a leak would be seen. (Reparaz and others, "Dude, is my
code constant time?", 2017.)
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import fmean, pvariance
from typing import Any, Final

_KEPT: Final = 0.9
_LENGTH: Final = 4_096
_SMALL: Final = bytes(31) + b"\x03"
_SMALL_POINT: Final = bytes.fromhex(
    "04a97f7cd4b3c993b4be2daa8cdb41e24ca13f6bd945302244e26918f1d0509ebf"
    "530b5dd88c688ef5ccc5cec08a72150f7c400ee5cd045292aaacdd037458f6e6"
)
"""Three times the generator; libcrypto checks that the two belong together."""

Measured = Callable[[], object]


def timing_figures(rounds: int = 4_000) -> list[dict[str, Any]]:
    """Return the effect sizes of SM2 signing, of comparing tags, and of the control."""
    return [
        _figure("sm2 sign timing effect", *_signing(), rounds),
        _figure("tag compare timing effect", *_comparing(), rounds),
        _figure("control: compare byte by byte", *_control(), rounds // 10),
    ]


def effect_size(one: list[int], other: list[int]) -> float:
    """Return Cohen's d: the difference of the means in standard deviations."""
    spread = (pvariance(one) + pvariance(other)) / 2
    return (fmean(one) - fmean(other)) / spread**0.5 if spread else 0.0


def _signing() -> tuple[Measured, Measured, str]:
    """Return signing by a private key of few bits, and by one of many."""
    from secops.crypto import known_answers, sm2  # noqa: PLC0415 - quick --help

    few = sm2.PrivateKey.from_scalar(_SMALL, _SMALL_POINT)
    many = sm2.PrivateKey.from_scalar(known_answers.SM2_SCALAR, known_answers.SM2_POINT)
    message = b"m" * 64
    circumstances = "private key 3 against one of 256 bits"
    return lambda: few.sign(message), lambda: many.sign(message), circumstances


def _comparing() -> tuple[Measured, Measured, str]:
    """Return comparing a tag wrong in its first byte, and one wrong in its last."""
    from secops.crypto import hashes  # noqa: PLC0415 - quick --help
    from secops.crypto.errors import InvalidSignature  # noqa: PLC0415

    good = hashes.keyed("sm3", b"key", b"data")
    first = bytes((good[0] ^ 1,)) + good[1:]
    last = good[:-1] + bytes((good[-1] ^ 1,))

    def refused(tag: bytes) -> None:
        try:
            hashes.verify_keyed("sm3", b"key", b"data", tag=tag)
        except InvalidSignature:
            return

    circumstances = "HMAC-SM3 wrong in its first byte against its last"
    return lambda: refused(first), lambda: refused(last), circumstances


def _control() -> tuple[Measured, Measured, str]:
    right = bytes(_LENGTH)
    first, last = b"\x01" + right[1:], right[:-1] + b"\x01"

    def equal(value: bytes) -> bool:
        return all(a == b for a, b in zip(value, right, strict=True))

    circumstances = f"{_LENGTH} bytes, stops at the first that differs: must be large"
    return lambda: equal(first), lambda: equal(last), circumstances


def _figure(
    name: str, one: Measured, other: Measured, circumstances: str, rounds: int
) -> dict[str, Any]:
    times: tuple[list[int], list[int]] = ([], [])
    order = [number % 2 for number in range(2 * rounds)]
    random.Random(1).shuffle(order)  # noqa: S311 - only an order
    for which in order:
        work = other if which else one
        started = time.thread_time_ns()
        work()
        times[which].append(time.thread_time_ns() - started)
    kept = [sorted(each)[: int(len(each) * _KEPT)] for each in times]
    return {
        "name": name,
        "value": round(abs(effect_size(*kept)), 3),
        "unit": "standard deviations",
        "per_cpu_second": False,
        "circumstances": f"{circumstances}; {rounds} times each, medians "
        f"{kept[0][len(kept[0]) // 2]} and {kept[1][len(kept[1]) // 2]} ns",
    }
