"""The built-in test CA: root, seal maker and signers under SM2, each marked 测试/内部用.

A second root of P-256 issues signers of PDFs, for readers that know no SM2.

Its private keys are the pool's and never leave it: a certificate is bytes that the pool
signed. It is no licensed CA, so what it issues has no legal effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from kms.core.rfc5280 import writing
from kms.core.rfc5280.linting import Issuance, LintRefused, lint_certificate
from kms.core.rfc5280.names import MAX_COMMON_NAME, AlternativeNames
from kms.core.rfc5280.profiles import PROFILES, Profile
from kms.core.rfc5280.writing import (
    CertificateContent,
    KeyAlgorithm,
    Name,
    Places,
    SubjectAlgorithm,
)
from kms.core.trust import RevocationSource, Trust
from kms.errors.certificates import CertificateRefused
from kms.models.certificates import AnchorUse, AuthorityName
from kms.models.seal_registry import CertificateKind, IssuedCertificate
from kms.models.seals import MARKING
from kms.ports.certificates import CertificateStore
from kms.ports.seals import AnchorFile, SealingKeys
from kms.service.outside_trust import OutsideTrust
from kms.service.revoked import revoked_certificates
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import NotFound
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ROOT_KEY: Final = "seal-ca-root"
MAKER_KEY: Final = "seal-ca-maker"
DOCUMENT_ROOT_KEY: Final = "document-ca-root"
_DOCUMENT_KINDS: Final[dict[Profile, CertificateKind]] = {
    "root": "document_root",
    "signer": "document_signer",
    "time_stamper": "document_time_stamper",
    "ocsp_responder": "document_ocsp_responder",
}
_ROOTS: Final[dict[AuthorityName, tuple[CertificateKind, str]]] = {
    "root": ("root", ROOT_KEY),
    "document": ("document_root", DOCUMENT_ROOT_KEY),
}
ROOT_ALGORITHMS: Final[dict[AuthorityName, KeyAlgorithm]] = {
    "root": "sm2",
    "document": "ecdsa-p256",
}
_SERIAL_BYTES: Final = 16
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
ORGANIZATION: Final = "govsecops"


@dataclass(frozen=True, slots=True)
class Issuers:
    """The certificates under which seals are made."""

    root: IssuedCertificate
    maker: IssuedCertificate


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate to be issued for the key ``key_name`` of the pool.

    With ``spki`` the key is somebody else's, and ``key_name`` names the request.
    """

    profile: Profile
    org_id: str
    key_name: str
    subject: Name
    algorithm: SubjectAlgorithm = "sm2"
    spki: bytes = b""
    names: AlternativeNames = field(default_factory=AlternativeNames)
    requester_id: str = ""

    @property
    def kind(self) -> CertificateKind:
        """What the certificate is kept as."""
        own = self.algorithm == "sm2" or self.spki
        return self.profile if own else _DOCUMENT_KINDS[self.profile]


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates under the built-in test CA."""

    parts: Parts
    keys: SealingKeys
    store: CertificateStore
    anchor_file: AnchorFile
    public_url: str = ""
    outside: OutsideTrust | None = None

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
        return tuple(read_certificate(root.der) for root in self._roots().values())

    def outside_anchors(self) -> Mapping[AnchorUse, tuple[Certificate, ...]]:
        """Return the outside CAs' anchors by what they are believed for."""
        return {} if self.outside is None else self.outside.anchors()

    def find_root(self, name: AuthorityName) -> IssuedCertificate:
        """Return one of the two roots; raise ``NotFound`` before it issued anything."""
        found = self.parts.transactions.read(
            lambda transaction: self.store.find(transaction, *_ROOTS[name])
        )
        if found is None:
            msg = "the built-in CA has not issued anything yet"
            raise NotFound(msg)
        return found

    def trust(self) -> Trust:
        """Return what this instance believes now, read at one moment."""
        return self.parts.transactions.read(self.trust_in)

    def trust_in(self, transaction: Transaction) -> Trust:
        """Return the same out of a snapshot that somebody has."""
        roots = self._roots_in(transaction)
        own = self._own_revocations(transaction, roots)
        outside, lists = ({}, None) if self.outside is None else self.outside.believed(transaction)
        return Trust(
            now=self.parts.clock.now(),
            anchors=tuple(read_certificate(root.der) for root in roots.values()),
            revocations=_joined(own, lists),
            outside=outside,
        )

    def _roots(self) -> dict[str, IssuedCertificate]:
        return self.parts.transactions.read(self._roots_in)

    def _roots_in(self, transaction: Transaction) -> dict[str, IssuedCertificate]:
        found = (self.store.find(transaction, *place) for place in _ROOTS.values())
        return {root.id: root for root in found if root is not None}

    def revocation_source(self) -> RevocationSource | None:
        """Return what this CA has revoked and outside lists say; None where there is neither."""
        return self.trust().revocations

    def _own_revocations(
        self, transaction: Transaction, roots: Mapping[str, IssuedCertificate]
    ) -> RevocationSource | None:
        subjects = {
            identifier: read_certificate(root.der).subject for identifier, root in roots.items()
        }
        if not subjects:
            return None
        revoked = revoked_certificates(transaction, self.store, self.parts.revocations)
        return RevocationSource(
            issuers=frozenset(subjects.values()),
            revoked={
                (subjects[each.issuer_id], int(each.serial, 16)): each.revoked_at or 0
                for each in revoked
                if each.issuer_id in subjects
            },
        )

    def is_revoked(self, certificate: IssuedCertificate) -> bool:
        """Tell whether it is revoked now, also where the table could not be told."""
        if certificate.revoked_at is not None:
            return True
        return self.parts.revocations.is_revoked("certificate", certificate.id)

    def _publish(self) -> None:
        """Put the root beside the database; again, where a restored home lacks it."""
        if self.anchor_file.read() is None:
            self.anchor_file.write(*(anchor.der for anchor in self.anchors()))

    def _find_issuers(self, transaction: Transaction) -> Issuers | None:
        root = self.store.find(transaction, "root", ROOT_KEY)
        maker = self.store.find(transaction, "maker", MAKER_KEY)
        return None if root is None or maker is None else Issuers(root, maker)

    def issue(self, order: Order, issuer: IssuedCertificate | None) -> IssuedCertificate:
        """Return a new certificate signed by ``issuer``, or by itself; ``keep`` stores it.

        Raises ``CertificateRefused`` for what no certificate may say: nothing is signed then.
        """
        now = self.parts.clock.now() // SECOND * SECOND
        until = now + PROFILES[order.profile].days * DAY
        spki = order.spki or self.keys.ensure_key(order.key_name, order.algorithm)
        name = order.subject.to_der()
        signer = None if issuer is None else read_certificate(issuer.der)
        serial = int.from_bytes(self.parts.randomness.bytes(_SERIAL_BYTES), "big") or 1
        content = CertificateContent(
            profile=order.profile,
            serial=serial,
            issuer=name if signer is None else signer.subject,
            subject=name,
            not_before=now,
            not_after=until if signer is None else min(until, signer.not_after),
            spki=spki,
            issuer_spki=spki if signer is None else signer.spki,
            algorithm=_signing_algorithm(
                order.algorithm if signer is None else signer.key_algorithm
            ),
            names=order.names,
            places=self._places(signer),
        )
        encoded = self._sign(content, order.key_name if issuer is None else issuer.key_name)
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
            issuer_id="" if issuer is None else issuer.id,
            key_digest=sha256(spki).hex(),
            requester_id=order.requester_id,
        )

    def _sign(self, content: CertificateContent, key_name: str) -> bytes:
        """Return the certificate of ``content``, looked over before it is signed."""
        tbs = writing.certificate_to_sign(content)
        issuance = Issuance(
            profile=content.profile,
            algorithm=content.algorithm,
            issuer_name=content.issuer,
            issuer_spki=content.issuer_spki,
            until=content.not_after,
        )
        try:
            lint_certificate(tbs, issuance)
        except LintRefused as error:
            raise CertificateRefused(str(error)) from error
        return writing.certificate(tbs, self.keys.sign(key_name, tbs), content.algorithm)

    def _places(self, signer: Certificate | None) -> Places:
        """Return where a reader asks about it: nowhere without an address that others reach."""
        host = urlsplit(self.public_url).hostname
        if signer is None or host is None or host in _LOOPBACK:
            return Places()
        base = f"{self.public_url}/ca"
        name: AuthorityName = "root" if signer.key_algorithm == "sm2" else "document"
        return Places(f"{base}/{name}.crl", f"{base}/ocsp", f"{base}/{name}.crt")


def _joined(
    own: RevocationSource | None, outside: RevocationSource | None
) -> RevocationSource | None:
    return outside if own is None else own if outside is None else own.joined(outside)


def _signing_algorithm(issuer: str) -> KeyAlgorithm:
    return "sm2" if issuer == "sm2" else "ecdsa-p256"


def common_name(text: str) -> str:
    """Return ``text`` cut to what a CN may hold."""
    return text[:MAX_COMMON_NAME].strip()
