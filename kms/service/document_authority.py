"""The second root of the built-in test CA: P-256, for PDFs whose readers know no SM2."""

from __future__ import annotations

from typing import Final

from kms.core.rfc5280.writing import Name
from kms.models.seal_registry import IssuedCertificate
from kms.models.seals import MARKING
from kms.models.stamps import PADES_KEYS, PadesKey
from kms.service.authority import DOCUMENT_ROOT_KEY, ORGANIZATION, Authority, Order
from secops.crypto.hashes import sm3
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.transactions import Transaction

_ALGORITHM: Final = "ecdsa-p256"


class DocumentAuthority:
    """Issues certificates for signatures in PDFs, each beside a holder's SM2 certificate."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def ensure_document_signer(
        self, actor: Actor, org_id: str, key_name: str, subject: Name, algorithm: PadesKey
    ) -> tuple[IssuedCertificate, IssuedCertificate]:
        """Return a signer's certificate and its root, both made at the first call."""
        root = self.ensure_document_root(actor)
        order = Order("signer", org_id, key_name, subject, algorithm)
        return self.ensure(actor, order, root), root

    def ensure_document_root(self, actor: Actor) -> IssuedCertificate:
        """Return the root of P-256, made at the first call and published beside the other."""
        root = self.ensure(actor, self._document_root_order(), None)
        seal_root = self._authority.ensure_issuers(actor).root
        self._authority.anchor_file.write(seal_root.der, root.der)
        return root

    def _document_root_order(self) -> Order:
        mark = sm3(self._authority.keys.ensure_key(DOCUMENT_ROOT_KEY, _ALGORITHM))[:4].hex()
        name = Name(ORGANIZATION, MARKING, f"内置测试文档根 CA {mark}")
        return Order("root", ROOT_ORG, DOCUMENT_ROOT_KEY, name, _ALGORITHM)

    def ensure(
        self, actor: Actor, order: Order, issuer: IssuedCertificate | None
    ) -> IssuedCertificate:
        """Return the certificate of ``order``, issued if there is none yet."""
        authority, store = self._authority, self._authority.store

        def find(transaction: Transaction) -> IssuedCertificate | None:
            return store.find(transaction, order.kind, order.key_name)

        found = authority.parts.transactions.read(find)
        if found is not None:
            return found
        issued = authority.issue(order, issuer)

        def keep(transaction: Transaction) -> IssuedCertificate:
            authority.keep(transaction, issued, actor)
            # another process may have been first, and its certificate is the one
            return find(transaction) or issued

        return authority.parts.transactions.run(keep)

    def revoke_holder(self, transaction: Transaction, certificate_id: str) -> None:
        """Revoke a holder's certificate, and those of the holder's signatures in PDFs."""
        self._authority.store.revoke(transaction, certificate_id)
        for algorithm in PADES_KEYS:
            key_name = document_key_name(certificate_id, algorithm)
            document = self._authority.store.find(transaction, "document_signer", key_name)
            if document is not None:
                self._authority.store.revoke(transaction, document.id)


def document_key_name(certificate_id: str, algorithm: PadesKey = _ALGORITHM) -> str:
    """Return the name of the key beside the holder's SM2 key that has this certificate."""
    kind = "document" if algorithm == _ALGORITHM else f"document-{algorithm}"
    return f"{kind}-{certificate_id}"
