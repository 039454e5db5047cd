"""Certificates of licensed CAs for seals: a PKCS#10 goes out, the certificate comes in.

The keys are the pool's and stay there. A maker's key is made anew for each certificate; a
holder's is the one of an application's place, and lasts as long as its seal.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from kms.core.rfc2986.writing import request, request_to_sign
from kms.core.rfc5280.purposes import purpose_defect
from kms.core.rfc5280.writing import Name
from kms.errors.certificates import CertificateMismatch, CertificateNotFound, because
from kms.models.certificates import OutsideRequest, TrustAnchor
from kms.models.seal_registry import CertificateKind, IssuedCertificate, SealApplication
from kms.models.seals import MARKING
from kms.ports.seals import SealStore
from kms.service.authority import common_name
from kms.service.certificates.parts import CertificateParts
from kms.service.certificates.pem import read_one
from kms.service.outside_signers import holder_key, maker_key, outside_makers
from kms.service.seals.applications import require_undone
from secops.crypto.certificates import Certificate, read_certificate, verify_chain
from secops.crypto.errors import MalformedEncoding, UntrustedCertificate
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.permissions.kms import CERTIFICATE_IMPORT
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ORGANIZATION: Final = "制章机构"
_MAKER_NAME: Final = "电子印章制章者"


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose certificate it is: the key, what it is kept as, and the name that is proposed."""

    kind: CertificateKind
    key_name: str
    subject: Name


class OutsideCertificates:
    """Lets outside CAs certify keys of the pool, for seals."""

    def __init__(self, certificates: CertificateParts, seals: SealStore) -> None:
        self._certificates = certificates
        self._seals = seals
        self._parts = certificates.parts

    def export_certificate_request(self, actor: Actor, wanted: OutsideRequest) -> bytes:
        """Return a PKCS#10 in DER for the key of ``wanted``, made if there is none.

        Raises ``CertificateNotFound`` for an application or place that is not there,
        ``SealStateConflict`` where its seal was made already.
        """
        self._parts.access.require(actor, CERTIFICATE_IMPORT, _target(wanted))
        place = self._place(actor, wanted)
        keys = self._certificates.authority.keys
        info = request_to_sign(place.subject, keys.ensure_key(place.key_name))
        encoded = request(info, keys.sign(place.key_name, info))
        details = {"key": place.key_name, "sha256": sha256(encoded).hex()}
        act = Act("kms.export_certificate_request", actor, _target(wanted), details=details)
        self._parts.transactions.run(lambda transaction: transaction.record(act))
        return encoded

    def import_certificate(
        self, actor: Actor, wanted: OutsideRequest, encoded: bytes
    ) -> IssuedCertificate:
        """Keep the certificate (PEM or DER) that an outside CA issued for the key of ``wanted``.

        Raises ``CertificateMismatch`` unless it is of that very key, SM2, for signatures, in
        its time, not revoked, and an anchor believed for seals issued it.
        """
        self._parts.access.require(actor, CERTIFICATE_IMPORT, _target(wanted))
        place = self._place(actor, wanted)
        try:
            found = read_certificate(read_one(encoded, "CERTIFICATE"))
            subject = found.subject_name
        except MalformedEncoding as error:
            why = Text(f"证书无法读取:{error}", f"the certificate can't be read: {error}")
            raise because(CertificateMismatch, why) from error
        self._require_fitting(place, found)
        anchor = self._issuer_of(found)
        issued = IssuedCertificate(
            id=self._parts.ids.new("cert"),
            org_id=actor.org_id,
            kind=place.kind,
            key_name=place.key_name,
            subject=subject,
            serial=f"{found.serial:x}",
            der=found.der,
            not_before=found.not_before,
            not_after=found.not_after,
            issued_at=self._parts.clock.now(),
            issuer_id=anchor.id,
            key_digest=sha256(found.spki).hex(),
            requester_id=actor.id,
        )

        def keep(transaction: Transaction) -> IssuedCertificate:
            if wanted.role == "holder":
                self._application(transaction, actor, wanted)
            if not self._certificates.authority.store.insert(transaction, issued):
                why = Text(
                    "该密钥已有证书,或该证书已导入",
                    "this key has its certificate already, or the certificate is here",
                )
                raise because(CertificateMismatch, why)
            details = {"serial": issued.serial, "key": place.key_name, "anchor": anchor.id}
            target = f"certificate:{issued.id}"
            transaction.record(Act("kms.import_certificate", actor, target, details=details))
            return issued

        return self._parts.transactions.run(keep)

    def _place(self, actor: Actor, wanted: OutsideRequest) -> _Place:
        def read(transaction: Transaction) -> _Place:
            if wanted.role == "maker":
                store = self._certificates.authority.store
                made = len(outside_makers(transaction, store, actor.org_id))
                name = Name(_ORGANIZATION, "", _MAKER_NAME)
                return _Place("outside_maker", maker_key(actor.org_id, made + 1), name)
            application = self._application(transaction, actor, wanted)
            holder = application.holders[wanted.place]
            name = Name(application.organization, "", common_name(holder.name))
            key = holder_key(application.id, wanted.place)
            return _Place("outside_signer", key, name)

        return self._parts.transactions.read(read)

    def _application(
        self, transaction: Transaction, actor: Actor, wanted: OutsideRequest
    ) -> SealApplication:
        """Return the application whose seal is not made yet, with a holder at that place."""
        found = self._seals.application(transaction, actor.org_id, wanted.application_id)
        if found is None or not 0 <= wanted.place < len(found.holders):
            msg = f"there is no place {wanted.place} in {wanted.application_id[:40]!r}"
            raise CertificateNotFound(msg)
        require_undone(found)
        return found

    def _require_fitting(self, place: _Place, found: Certificate) -> None:
        """Raise ``CertificateMismatch`` unless it is of the key, and fit for seals."""
        spki = self._certificates.authority.keys.ensure_key(place.key_name)
        if not hmac.compare_digest(found.spki, spki):
            why = Text(
                "证书的公钥与此处导出的请求不符",
                "it is of another key than the request that was exported here",
            )
            raise because(CertificateMismatch, why)
        if found.is_ca or not found.allows("digitalSignature"):
            why = Text(
                "是 CA 证书,或密钥用途不含数字签名",
                "it is a CA's, or its key usage lacks digitalSignature",
            )
            raise because(CertificateMismatch, why)
        defect = purpose_defect(found, makes_seals=place.kind == "outside_maker")
        if defect is not None:
            raise because(CertificateMismatch, defect)

    def _issuer_of(self, found: Certificate) -> TrustAnchor:
        """Return the anchor that issued it; raise ``CertificateMismatch``."""
        authority = self._certificates.authority
        now = self._parts.clock.now()
        anchors = [] if authority.outside is None else authority.outside.active()
        believed = {each.der: each for each in anchors if "seals" in each.uses}
        try:
            chain = verify_chain(found, (), tuple(map(read_certificate, believed)), at=now)
        except UntrustedCertificate as error:
            why = Text(
                f"不是由用于印章的信任锚签发:{error.detail}",
                f"no anchor that is believed for seals issued it: {error.detail}",
            )
            raise because(CertificateMismatch, why) from error
        source = authority.revocation_source()
        if source is not None and (found.issuer, found.serial) in source.revoked:
            why = Text("其 CA 的吊销列表显示已吊销", "its CA's list says that it is revoked")
            raise because(CertificateMismatch, why)
        if chain[-1].der == found.der or MARKING in found.issuer_name:
            why = Text(
                "信任锚本身不用于制章,测试 CA 的证书也不改变标记",
                "an anchor makes no seals itself, and a test CA's certificate changes nothing",
            )
            raise because(CertificateMismatch, why)
        return believed[chain[-1].der]


def _target(wanted: OutsideRequest) -> str:
    if wanted.role == "maker":
        return "certificate:outside-maker"
    return f"seal_application:{wanted.application_id[:60]}"
