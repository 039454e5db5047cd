"""One object under a technical unit: D effective, A algorithm approved, K keys well managed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from audits.errors import CalculationRefused
from audits.models.calculations import CryptoObject, ObjectScore
from secops.kernel.catalogue import Text
from secops.kernel.rounding import to_places

NEEDED_MODULE: Final[Mapping[int, int]] = {1: 1, 2: 1, 3: 2, 4: 3}
"""Level of the certified module (GB/T 37092) that keys need for K at each level; from memory."""
_STRONG_BITS: Final = 112
_WEAK_BITS: Final = 80
_BONUS: Final[Mapping[int, tuple[int, Fraction]]] = {
    3: (1, Fraction(12, 10)),
    4: (2, Fraction(15, 10)),
}
"""At a level: Rk with a certified module of at least that level."""
_SOFTWARE: Final = Text(
    "未经商用密码认证的软件模块, 密钥管理不计为符合",
    "the keys are in a software module without a certificate: K does not count",
)
_LOW_MODULE: Final = Text(
    "密码模块等级低于本级要求, 密钥管理不计为符合",
    "the certified module's level is lower than this level asks: K does not count",
)


def algorithm_ratio(bits: int) -> Fraction:
    """Return Ra of an algorithm that is not approved, by its strength in bits."""
    if bits >= _STRONG_BITS:
        return Fraction(1)
    return Fraction(1, 2) if bits >= _WEAK_BITS else Fraction(1, 5)


def key_ratio(level: int, module_level: int) -> Fraction:
    """Return Rk where keys are not well managed, by the certified module they are in."""
    least, ratio = _BONUS.get(level, (0, Fraction(1)))
    return ratio if module_level >= least else Fraction(1)


def dak_score(
    *, effective: bool, approved: bool, managed: bool, ra: Fraction, rk: Fraction
) -> Decimal:
    """Return the score of D, A, K, 4 places; without D nothing else counts."""
    if not effective:
        return to_places(Fraction(0), 4)
    by_algorithm = Fraction(1) if approved else ra / 2
    by_keys = Fraction(1) if managed else rk / 2
    return to_places(by_algorithm * by_keys, 4)


def object_score(each: CryptoObject, level: int) -> ObjectScore:
    """Return the object's score at ``level``; raise ``CalculationRefused`` for odd numbers.

    Software keys without a certificate never pass K, whatever was entered.
    """
    if each.bits < 0 or each.module_level < 0:
        raise CalculationRefused(f"{each.name} has a negative strength or level")
    reason = None
    if each.managed and not each.module_level:
        reason = _SOFTWARE
    elif each.managed and each.module_level < NEEDED_MODULE[level]:
        reason = _LOW_MODULE
    score = dak_score(
        effective=each.effective,
        approved=each.approved,
        managed=each.managed and reason is None,
        ra=algorithm_ratio(each.bits),
        rk=key_ratio(level, each.module_level),
    )
    return ObjectScore(each.name, score, reason)


def mean_of(scores: Sequence[Decimal]) -> Decimal:
    """Return the mean of objects' scores, 4 places: the mean, not the least of them."""
    return to_places(sum((Fraction(score) for score in scores), Fraction(0)) / len(scores), 4)
