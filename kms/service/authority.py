"""The built-in test CA: root, seal maker and signers under SM2, each marked 测试/内部用.

Its private keys are the pool's and never leave it: a certificate is bytes that the pool
signed. It is no licensed CA, so what it issues has no legal effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540.evidence import RevocationSource
from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import CertificateContent, Name, Profile
from kms.models.seal_registry import IssuedCertificate
from kms.models.seals import MARKING
from kms.ports.seals import AnchorFile, CertificateStore, SealingKeys
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import sm3
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import NotFound
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ROOT_KEY: Final = "seal-ca-root"
MAKER_KEY: Final = "seal-ca-maker"
_YEAR: Final = 365 * DAY
_LIFETIMES: Final[dict[Profile, int]] = {
    "root": 10 * _YEAR,
    "maker": 5 * _YEAR,
    "signer": 3 * _YEAR,
}
_LIST_LIFETIME: Final = DAY
_SERIAL_BYTES: Final = 16
_MAX_COMMON_NAME: Final = 64  # X.520 ub-common-name
_ORGANIZATION: Final = "govsecops"


@dataclass(frozen=True, slots=True)
class Issuers:
    """The certificates under which seals are made."""

    root: IssuedCertificate
    maker: IssuedCertificate


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate to be issued for the key ``key_name`` of the pool."""

    profile: Profile
    org_id: str
    key_name: str
    subject: Name


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates under the built-in test CA."""

    parts: Parts
    keys: SealingKeys
    store: CertificateStore
    anchor_file: AnchorFile

    def ensure_issuers(self, actor: Actor) -> Issuers:
        """Return root and maker, made at the first call; raises ``PoolLocked``."""
        found = self.parts.transactions.read(self._find_issuers)
        if found is not None:
            self._publish(found)
            return found
        root_spki = self.keys.ensure_key(ROOT_KEY)
        mark = sm3(root_spki)[:4].hex()
        name = Name(_ORGANIZATION, MARKING, f"内置测试根 CA {mark}")
        root = self._issue(Order("root", ROOT_ORG, ROOT_KEY, name), None)
        name = Name(_ORGANIZATION, MARKING, f"内置测试制章者 {mark}")
        maker = self._issue(Order("maker", ROOT_ORG, MAKER_KEY, name), root)

        def keep(transaction: Transaction) -> Issuers:
            for certificate in (root, maker):
                self.keep(transaction, certificate, actor)
            return self._find_issuers(transaction) or Issuers(root, maker)

        issuers = self.parts.transactions.run(keep)
        self._publish(issuers)
        return issuers

    def issue_signer(self, order: Order, issuers: Issuers) -> IssuedCertificate:
        """Return a signer's certificate, not stored yet: ``keep`` stores it with its cause."""
        return self._issue(order, issuers.root)

    def keep(self, transaction: Transaction, issued: IssuedCertificate, actor: Actor) -> bool:
        """Store ``issued`` and record it; False if its key has a certificate already."""
        if not self.store.insert(transaction, issued):
            return False
        details = {"kind": issued.kind, "serial": issued.serial, "sm3": sm3(issued.der).hex()}
        transaction.record(
            Act("kms.issue_certificate", actor, f"certificate:{issued.id}", details=details)
        )
        return True

    def anchors(self) -> tuple[Certificate, ...]:
        """Return the root as trust anchor; none before the first seal was made."""
        found = self.parts.transactions.read(
            lambda transaction: self.store.find(transaction, "root", ROOT_KEY)
        )
        return () if found is None else (read_certificate(found.der),)

    def revocation_source(self) -> RevocationSource | None:
        """Return what this CA has revoked; None before it exists."""
        anchors = self.anchors()
        if not anchors:
            return None
        revoked = self.parts.transactions.read(self.store.revoked)
        issuer = anchors[0].subject
        return RevocationSource(
            issuers=frozenset({issuer}),
            revoked={(issuer, int(each.serial, 16)): each.revoked_at or 0 for each in revoked},
        )

    def revocation_list(self) -> bytes:
        """Return the CRL of this CA in DER, signed now; raises ``PoolLocked``, ``NotFound``."""
        anchors, source = self.anchors(), self.revocation_source()
        if source is None:
            msg = "the built-in CA has not issued anything yet"
            raise NotFound(msg)
        now = self.parts.clock.now() // SECOND * SECOND
        tbs = writing.revocation_list_to_sign(
            writing.RevocationListContent(
                issuer=anchors[0].subject,
                issuer_spki=anchors[0].spki,
                number=now // SECOND,
                this_update=now,
                next_update=now + _LIST_LIFETIME,
                revoked=sorted((serial, at) for (_, serial), at in source.revoked.items()),
            )
        )
        return writing.revocation_list(tbs, self.keys.sign(ROOT_KEY, tbs))

    def _publish(self, issuers: Issuers) -> None:
        """Put the root beside the database; again, where a restored home lacks it."""
        if self.anchor_file.read() is None:
            self.anchor_file.write(issuers.root.der)

    def _find_issuers(self, transaction: Transaction) -> Issuers | None:
        root = self.store.find(transaction, "root", ROOT_KEY)
        maker = self.store.find(transaction, "maker", MAKER_KEY)
        return None if root is None or maker is None else Issuers(root, maker)

    def _issue(self, order: Order, issuer: IssuedCertificate | None) -> IssuedCertificate:
        """Return a new certificate signed by ``issuer``, or by itself."""
        now = self.parts.clock.now() // SECOND * SECOND
        until = now + _LIFETIMES[order.profile]
        spki = self.keys.ensure_key(order.key_name)
        name = order.subject.to_der()
        signer = None if issuer is None else read_certificate(issuer.der)
        serial = int.from_bytes(self.parts.randomness.bytes(_SERIAL_BYTES), "big") >> 1 or 1
        content = CertificateContent(
            profile=order.profile,
            serial=serial,
            issuer=name if signer is None else signer.subject,
            subject=name,
            not_before=now,
            not_after=until if signer is None else min(until, signer.not_after),
            spki=spki,
            issuer_spki=spki if signer is None else signer.spki,
        )
        tbs = writing.certificate_to_sign(content)
        key_name = order.key_name if issuer is None else issuer.key_name
        encoded = writing.certificate(tbs, self.keys.sign(key_name, tbs))
        return IssuedCertificate(
            id=self.parts.ids.new("cert"),
            org_id=order.org_id,
            kind=order.profile,
            key_name=order.key_name,
            subject=read_certificate(encoded).subject_name,
            serial=f"{serial:x}",
            der=encoded,
            not_before=content.not_before,
            not_after=content.not_after,
            issued_at=now,
        )


def common_name(text: str) -> str:
    """Return ``text`` cut to what a CN may hold."""
    return text[:_MAX_COMMON_NAME]
