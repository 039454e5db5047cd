"""Keys for playbooks: the pool's SM2 key signs what was approved, partners' keys are trusted."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kms.service import KmsServices
from playbooks.models.signatures import TrustedKey
from secops.bridges.keys import CLOSED_POOL, PLAYBOOKS_SM2, Signers
from secops.crypto.errors import InvalidKey
from secops.crypto.sm2 import PublicKey
from secops.kernel.errors import Conflict, Unavailable
from secops.settings import Settings, SettingsRejected

_MAX_FILE: Final = 64 << 10
_BLOCK: Final = re.compile(
    rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,2000})-----END PUBLIC KEY-----"
)


def partners(settings: Settings) -> tuple[TrustedKey, ...]:
    """Return the partners' keys that ``playbook_signers`` names; raise ``SettingsRejected``."""
    if not settings.playbook_signers:
        return ()
    return read_signers(settings.home / settings.playbook_signers)


def read_signers(file: Path) -> tuple[TrustedKey, ...]:
    """Return the SM2 public keys in a PEM file (``PUBLIC KEY`` blocks)."""
    try:
        with file.open("rb") as handle:
            content = handle.read(_MAX_FILE + 1)
        keys = tuple(
            TrustedKey(PublicKey(base64.b64decode(block)).der, "foreign")
            for block in _BLOCK.findall(content)
        )
    except (OSError, ValueError, InvalidKey) as error:
        raise SettingsRejected(f"playbook_signers: {file.name} can't be read") from error
    if not keys or len(content) > _MAX_FILE:
        raise SettingsRejected(
            f"playbook_signers: {file.name} holds no SM2 PUBLIC KEY, or too many"
        )
    return keys


class PoolPlaybookSignatures:
    """Implements ``playbooks.ports.signatures.PlaybookSignatures`` with an SM2 key of the pool."""

    def __init__(self, kms: KmsServices, trusted: tuple[TrustedKey, ...] = ()) -> None:
        self._signers = Signers(kms)
        self._trusted = trusted

    def keys(self) -> Sequence[TrustedKey]:
        """Return the versions that still count, newest first, then the partners'."""
        try:
            published = self._signers.get(PLAYBOOKS_SM2).public_keys()
        except CLOSED_POOL as error:
            raise Unavailable("playbooks can't be verified while the pool is locked") from error
        return [*(TrustedKey(key.der) for key in reversed(published)), *self._trusted]

    def sign(self, key: TrustedKey, digest: bytes) -> bytes:
        """Return the DER signature by ``key``, one of ours that still counts."""
        try:
            signer = self._signers.get(PLAYBOOKS_SM2)
            for published in signer.public_keys():
                if published.der == key.der:
                    return signer.sign_as(published.version, digest)
        except CLOSED_POOL as error:
            raise Unavailable("playbooks can't be signed while the pool is locked") from error
        raise Conflict("this key signs no more")
