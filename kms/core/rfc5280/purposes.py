"""What a certificate is for (extKeyUsage, RFC 5280 §4.2.1.12; documents: RFC 9336)."""

from __future__ import annotations

from typing import Final

from kms.core.rfc5280.profiles import (
    CLIENT_AUTH,
    DOCUMENT_SIGNING,
    OCSP_SIGNING,
    SERVER_AUTH,
    TIME_STAMPING,
)
from kms.core.x690 import DerError, read_der, values
from kms.models.seals import MARKING
from secops.crypto.certificates import Certificate
from secops.kernel.catalogue import Text

_PURPOSES: Final = "2.5.29.37"
_ANY: Final = "2.5.29.37.0"
_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
_OTHER: Final = frozenset({SERVER_AUTH, CLIENT_AUTH, _CODE_SIGNING, TIME_STAMPING, OCSP_SIGNING})
"""Of connections, programs and answers: a certificate for these alone signs no documents."""


def purpose_defect(certificate: Certificate, *, makes_seals: bool) -> Text | None:
    """Return why ``certificate`` is not for documents, or not for making seals; None if it is.

    One without the extension is for what its key usage allows. Of the built-in CA's, those
    with a purpose are other people's, and their keys are not in the pool: they make no seals.
    """
    if _PURPOSES not in certificate.extensions:
        return None
    try:
        listed = read_der(certificate.extensions[_PURPOSES]).sequence("extKeyUsage")
        purposes = {values.oid(each, "purpose") for each in listed}
    except DerError:
        return Text("扩展密钥用途无法读取", "its extended key usage can't be read")
    if purposes & {_ANY, DOCUMENT_SIGNING}:
        return None
    if makes_seals and MARKING in certificate.issuer_name:
        return Text("不是制章者证书", "it is no certificate of a maker of seals")
    if purposes <= _OTHER:
        return Text(
            "扩展密钥用途不含文档签名", "its extended key usage is not the signing of documents"
        )
    return None
