"""Which check belongs to which kind of note key."""

from __future__ import annotations

from collections.abc import Callable

from audits.core.c2sp import ED25519, KeyKind
from audits.core.c2sp.note import VerifySignature
from audits.ports import SignatureVerifier


def check_of(verifier: SignatureVerifier) -> Callable[[KeyKind], VerifySignature]:
    """Return the function that chooses ``verifier``'s check by the key's kind."""

    def choose(kind: KeyKind) -> VerifySignature:
        return verifier.verify_ed25519 if kind == ED25519 else verifier.verify_sm2

    return choose
