"""Passwords as they are stored: argon2id over a keyed hash, whose algorithm the profile chooses.

A stored hash names its keyed hash (``sm3$`` before argon2's own form, nothing for SHA-256), so a
home whose profile changes goes on, and each password moves at its owner's next sign-in.
"""

from __future__ import annotations

from typing import Final

from iam.service.means import Means

SM3: Final = "sm3$"


def hash_password(means: Means, text: str) -> str:
    """Return what is stored of a password in its normal form."""
    mark = _mark(means)
    return mark + means.hasher.hash(_keyed(means, text, mark))


def password_fits(means: Means, encoded: str | None, text: str) -> bool:
    """Tell whether it fits; None costs as much as any and never does."""
    stored = _mark(means) + means.hasher.decoy if encoded is None else encoded
    mark = SM3 if stored.startswith(SM3) else ""
    fits = means.hasher.verify(stored.removeprefix(SM3), _keyed(means, text, mark))
    return fits and encoded is not None


def password_outdated(means: Means, encoded: str) -> bool:
    """Tell whether it would be stored otherwise today."""
    mark = SM3 if encoded.startswith(SM3) else ""
    return mark != _mark(means) or means.hasher.outdated(encoded.removeprefix(SM3))


def _mark(means: Means) -> str:
    return SM3 if means.options.crypto_profile == "gm" else ""


def _keyed(means: Means, text: str, mark: str) -> bytes:
    """Without the pool's key a stolen table can't be guessed at."""
    if mark == SM3:
        return means.keys.mac_sm3("password-pepper", text.encode()).hex().encode()
    return means.keys.mac("password-pepper", text.encode()).hex().encode()
