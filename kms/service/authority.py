"""The built-in test CA: root, seal maker and signers under SM2, each marked 测试/内部用.

A second root of P-256 issues signers of PDFs, for readers that know no SM2.

Its private keys are the pool's and never leave it: a certificate is bytes that the pool
signed. It is no licensed CA, so what it issues has no legal effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540.evidence import RevocationSource
from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import CertificateContent, KeyAlgorithm, Name, Profile
from kms.models.seal_registry import CertificateKind, IssuedCertificate
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
DOCUMENT_ROOT_KEY: Final = "document-ca-root"
_YEAR: Final = 365 * DAY
_LIFETIMES: Final[dict[Profile, int]] = {
    "root": 10 * _YEAR,
    "maker": 5 * _YEAR,
    "signer": 3 * _YEAR,
    "time_stamper": 5 * _YEAR,
}
_DOCUMENT_KINDS: Final[dict[Profile, CertificateKind]] = {
    "root": "document_root",
    "signer": "document_signer",
    "time_stamper": "document_time_stamper",
}
_LIST_LIFETIME: Final = DAY
_SERIAL_BYTES: Final = 16
_MAX_COMMON_NAME: Final = 64  # X.520 ub-common-name
ORGANIZATION: Final = "govsecops"


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
    algorithm: KeyAlgorithm = "sm2"

    @property
    def kind(self) -> CertificateKind:
        """What the certificate is kept as."""
        if self.algorithm == "sm2":
            return self.profile
        return _DOCUMENT_KINDS[self.profile]


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
            self._publish()
            return found
        root_spki = self.keys.ensure_key(ROOT_KEY)
        mark = sm3(root_spki)[:4].hex()
        name = Name(ORGANIZATION, MARKING, f"内置测试根 CA {mark}")
        root = self.issue(Order("root", ROOT_ORG, ROOT_KEY, name), None)
        name = Name(ORGANIZATION, MARKING, f"内置测试制章者 {mark}")
        maker = self.issue(Order("maker", ROOT_ORG, MAKER_KEY, name), root)

        def keep(transaction: Transaction) -> Issuers:
            for certificate in (root, maker):
                self.keep(transaction, certificate, actor)
            return self._find_issuers(transaction) or Issuers(root, maker)

        issuers = self.parts.transactions.run(keep)
        self._publish()
        return issuers

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
        """Return the roots as trust anchors, that of seals first; none before the first seal."""

        def read(transaction: Transaction) -> tuple[Certificate, ...]:
            roots = (
                self.store.find(transaction, "root", ROOT_KEY),
                self.store.find(transaction, "document_root", DOCUMENT_ROOT_KEY),
            )
            return tuple(read_certificate(root.der) for root in roots if root is not None)

        return self.parts.transactions.read(read)

    def revocation_source(self) -> RevocationSource | None:
        """Return what this CA has revoked; None before it exists."""
        anchors = self.anchors()
        if not anchors:
            return None
        revoked = self.parts.transactions.read(self.store.revoked)
        issuers = {each.key_algorithm == "sm2": each.subject for each in anchors}
        return RevocationSource(
            issuers=frozenset(issuers.values()),
            revoked={
                (issuers[each.kind not in _DOCUMENT_KINDS.values()], int(each.serial, 16)): (
                    each.revoked_at or 0
                )
                for each in revoked
            },
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
                revoked=sorted(
                    (serial, at)
                    for (issuer, serial), at in source.revoked.items()
                    if issuer == anchors[0].subject
                ),
            )
        )
        return writing.revocation_list(tbs, self.keys.sign(ROOT_KEY, tbs))

    def _publish(self) -> None:
        """Put the root beside the database; again, where a restored home lacks it."""
        if self.anchor_file.read() is None:
            self.anchor_file.write(*(anchor.der for anchor in self.anchors()))

    def _find_issuers(self, transaction: Transaction) -> Issuers | None:
        root = self.store.find(transaction, "root", ROOT_KEY)
        maker = self.store.find(transaction, "maker", MAKER_KEY)
        return None if root is None or maker is None else Issuers(root, maker)

    def issue(self, order: Order, issuer: IssuedCertificate | None) -> IssuedCertificate:
        """Return a new certificate signed by ``issuer``, or by itself; ``keep`` stores it."""
        now = self.parts.clock.now() // SECOND * SECOND
        until = now + _LIFETIMES[order.profile]
        spki = self.keys.ensure_key(order.key_name, order.algorithm)
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
            algorithm=order.algorithm,
        )
        tbs = writing.certificate_to_sign(content)
        key_name = order.key_name if issuer is None else issuer.key_name
        encoded = writing.certificate(tbs, self.keys.sign(key_name, tbs), order.algorithm)
        return IssuedCertificate(
            id=self.parts.ids.new("cert"),
            org_id=order.org_id,
            kind=order.kind,
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
