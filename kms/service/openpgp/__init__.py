"""OpenPGP for partners outside: own signing keys, partners' public keys, protected exports.

A partner's fingerprint is compared by two people before anything is encrypted to it. The secret
key lies sealed under a pool key, so a locked pool signs nothing.
"""

from kms.service.openpgp.exports import Exports
from kms.service.openpgp.keys import OpenPgpKeys
from kms.service.openpgp.partners import Partners
from kms.service.openpgp.parts import OpenPgpParts

__all__ = ["Exports", "OpenPgpKeys", "OpenPgpParts", "Partners"]
