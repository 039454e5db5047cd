"""The CRL of a root of the built-in CA, signed when it is asked for."""

from __future__ import annotations

from typing import Final

from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import RevocationListContent
from kms.models.certificates import REVOCATION_REASONS, AuthorityName
from kms.service.authority import ROOT_ALGORITHMS, Authority
from kms.service.revoked import mark_revoked, revoked_certificates
from secops.crypto.certificates import read_certificate
from secops.kernel.clock import DAY, SECOND

_LIFETIME: Final = DAY


def sign_revocation_list(authority: Authority, name: AuthorityName = "root") -> bytes:
    """Return the CRL of a root in DER, signed now; raises ``PoolLocked``, ``NotFound``."""
    root = authority.find_root(name)
    mark_revoked(authority.parts, authority.store)
    issuer = read_certificate(root.der)
    parts, store = authority.parts, authority.store
    found = parts.transactions.read(
        lambda transaction: revoked_certificates(transaction, store, parts.revocations)
    )
    revoked = [each for each in found if each.issuer_id == root.id]
    now = parts.clock.now()
    algorithm = ROOT_ALGORITHMS[name]
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
