"""Reports for partners outside, encrypted by the key pool's OpenPGP exports."""

from __future__ import annotations

from kms.service import KmsServices
from secops.kernel.actors import Actor


class PoolExportProtection:
    """Implements ``audits.ports.reports.ExportProtection``."""

    def __init__(self, kms: KmsServices) -> None:
        self._kms = kms

    def demand(self, actor: Actor, partners: tuple[str, ...]) -> None:
        """Return if there are keys to sign with and to encrypt to."""
        self._kms.exports.demand_export(actor, partners)

    def protect(self, actor: Actor, content: bytes, partners: tuple[str, ...]) -> bytes:
        """Return ``content`` as a signed and encrypted OpenPGP message."""
        return self._kms.exports.protect_export(actor, content, partners).message
