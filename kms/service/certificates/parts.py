"""What the use cases of certificates work with."""

from __future__ import annotations

from dataclasses import dataclass

from kms.errors.certificates import CertificateNotFound
from kms.models.certificates import CertificateRequest
from kms.models.seal_registry import IssuedCertificate
from kms.ports.certificates import CertificateRequestStore, TrustStore
from kms.service.authority import Authority
from kms.service.document_authority import DocumentAuthority
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class CertificateParts:
    """The CA, and what is kept beside it."""

    authority: Authority
    requests: CertificateRequestStore
    trust: TrustStore

    @property
    def parts(self) -> Parts:
        """The spine."""
        return self.authority.parts

    def issuer_for(self, actor: Actor, key_algorithm: str) -> IssuedCertificate:
        """Return the root that issues to keys of this algorithm: SM2 to SM2, P-256 to others."""
        if key_algorithm == "sm2":
            return self.authority.ensure_issuers(actor).root
        return DocumentAuthority(self.authority).ensure_document_root(actor)

    def load_request(
        self, transaction: Transaction, actor: Actor, request_id: str
    ) -> CertificateRequest:
        """Return the request; raise ``CertificateNotFound``, also for another organisation's."""
        found = self.requests.request(transaction, actor.org_id, request_id)
        if found is None:
            msg = f"there is no request {request_id[:40]!r}"
            raise CertificateNotFound(msg)
        return found

    def load_certificate(
        self, transaction: Transaction, actor: Actor, certificate_id: str
    ) -> IssuedCertificate:
        """Return it; raise ``CertificateNotFound``, also for another organisation's."""
        found = self.authority.store.get(transaction, certificate_id)
        if found is None or found.org_id != actor.org_id:
            msg = f"there is no certificate {certificate_id[:40]!r}"
            raise CertificateNotFound(msg)
        return found
