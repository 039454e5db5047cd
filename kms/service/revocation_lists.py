"""The CRL of a root of the built-in CA, signed when it is asked for."""

from __future__ import annotations

from typing import Final

from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import KeyAlgorithm, RevocationListContent
from kms.models.certificates import REVOCATION_REASONS, AuthorityName
from kms.models.seal_registry import IssuedCertificate
from kms.service.authority import Authority
from secops.crypto.certificates import read_certificate
from secops.kernel.clock import DAY, SECOND
from secops.kernel.transactions import Transaction

_LIFETIME: Final = DAY
_ALGORITHMS: Final[dict[AuthorityName, KeyAlgorithm]] = {"root": "sm2", "document": "ecdsa-p256"}


def sign_revocation_list(authority: Authority, name: AuthorityName = "root") -> bytes:
    """Return the CRL of a root in DER, signed now; raises ``PoolLocked``, ``NotFound``."""
    root = authority.find_root(name)
    _settle(authority, root)
    issuer = read_certificate(root.der)
    found = authority.parts.transactions.read(authority.store.revoked)
    revoked = [each for each in found if each.issuer_id == root.id]
    now = authority.parts.clock.now()
    algorithm = _ALGORITHMS[name]
    tbs = writing.revocation_list_to_sign(
        RevocationListContent(
            issuer=issuer.subject,
            issuer_spki=issuer.spki,
            # microseconds: two lists of one second differ, and the later has the greater number
            number=now,
            this_update=now // SECOND * SECOND,
            next_update=now // SECOND * SECOND + _LIFETIME,
            revoked=sorted((int(each.serial, 16), each.revoked_at or 0) for each in revoked),
            reasons={
                int(each.serial, 16): REVOCATION_REASONS.get(each.revocation_reason, 0)
                for each in revoked
            },
            algorithm=algorithm,
        )
    )
    return writing.revocation_list(tbs, authority.keys.sign(root.key_name, tbs), algorithm)


def _settle(authority: Authority, root: IssuedCertificate) -> None:
    """Mark in the table what the emergency way revoked while nothing could be written."""
    parts, store = authority.parts, authority.store

    def read(transaction: Transaction) -> list[str]:
        running = store.unrevoked_ids(transaction, root.id)
        return [each for each in running if parts.revocations.is_revoked("certificate", each)]

    late = parts.transactions.read(read)
    if late:
        parts.transactions.run(
            lambda transaction: [store.revoke(transaction, each) for each in late]
        )
