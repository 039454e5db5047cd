"""What the use cases of e-certificates work with, and what they all ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from kms.errors.ecertificates import ECertificateNotFound
from kms.models.ecertificates import ECertificate, ECertificateTemplate
from kms.ports.ecertificates import BatchStore, ECertificateStore, PageRenderer, TemplateStore
from kms.ports.keys import Subjects
from kms.ports.seal_requests import DocumentBox
from kms.ports.seals import SealStore
from kms.service.seals import SealStamping, SealUses, SealVerification
from secops.crypto.hashes import sha256
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class ECertificateParts:
    """The spine, the stores, the seals; ``public_url`` is where links lead."""

    parts: Parts
    templates: TemplateStore
    issued: ECertificateStore
    batches: BatchStore
    box: DocumentBox
    pages: PageRenderer
    seals: SealStore
    uses: SealUses
    stamping: SealStamping
    verification: SealVerification
    subjects: Subjects
    public_url: str

    def load_template(
        self, transaction: Transaction, org_id: str, template_id: str
    ) -> ECertificateTemplate:
        """Return it; raise ``ECertificateNotFound``, also for another organisation's."""
        found = self.templates.template(transaction, org_id, template_id)
        if found is None:
            msg = f"there is no template {template_id[:_SHOWN]!r}"
            raise ECertificateNotFound(msg)
        return found

    def load(self, transaction: Transaction, org_id: str, ecertificate_id: str) -> ECertificate:
        """Return it; raise ``ECertificateNotFound``, also for another organisation's."""
        found = self.issued.ecertificate(transaction, org_id, ecertificate_id)
        if found is None:
            msg = f"there is no e-certificate {ecertificate_id[:_SHOWN]!r}"
            raise ECertificateNotFound(msg)
        return found

    def link(self, token: str) -> str:
        """Return the address of the public page, as the QR code holds it."""
        return f"{self.public_url}/verify/ecertificates/{token}"

    def seal_data(self, owner: str, values: dict[str, str], token: str = "") -> bytes:
        """Return a holder's data encrypted for ``owner``, a row or an e-certificate."""
        return self.box.seal(orjson.dumps({"values": values, "token": token}), owner.encode())

    def open_data(self, owner: str, sealed: bytes) -> tuple[dict[str, str], str]:
        """Return the values and the token; raise ``PoolLocked``, ``DecryptionFailed``."""
        found = orjson.loads(self.box.open(sealed, owner.encode()))
        return found["values"], found["token"]


def token_hash(token: str) -> str:
    """Return by what a link's token is found: tokens themselves lie encrypted."""
    return sha256(token.encode(errors="replace")).hex()
