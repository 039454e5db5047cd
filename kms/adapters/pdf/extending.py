"""Inside the worker: what is put behind a signature, so that it can be judged for long.

The document security store (DSS) with certificates and revocations, and a time-stamp of the
whole document (ETSI EN 319 142-1 §5.4, §5.5).
"""

from __future__ import annotations

import base64
import io
from typing import Any, Final

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from kms.adapters.pdf.signing import Prepared, embedded, free_name

_MAX_VALUES: Final = 100
_MAX_BYTES: Final = 2 << 20
_KINDS: Final = {"certificates": "/Certs", "revocation_lists": "/CRLs", "ocsp_responses": "/OCSPs"}


def add_validation_data(document: io.BytesIO, data: dict[str, list[str]]) -> bytes:
    """Return the PDF with the certificates and revocations of ``data`` (Base64) in its DSS."""
    found = {name: [base64.b64decode(each) for each in values] for name, values in data.items()}
    DocumentSecurityStore.add_dss(
        document,
        None,
        certs=[x509.Certificate.load(each) for each in found["certificates"]],
        crls=[crl.CertificateList.load(each) for each in found["revocation_lists"]],
        ocsps=[ocsp.OCSPResponse.load(each) for each in found["ocsp_responses"]],
    )
    return document.getvalue()


def prepare_time_stamp(document: io.BytesIO, reserved: int) -> Prepared:
    """Return the PDF with room for a time-stamp of it all, in a field that shows nothing."""
    writer = IncrementalPdfFileWriter(document)
    field = SigFieldSpec(free_name(writer, "TimeStamp"))
    placeholder: Any = DocumentTimestamp
    return embedded(writer, field, SigObjSetup(placeholder(bytes_reserved=2 * reserved)))


def validation_data(reader: Any) -> dict[str, list[str]]:
    """Return what the DSS of a PDF holds in Base64, nothing of it proved.

    What goes beyond the limits is left out: fewer revocations are known then.
    """
    store, left = _entry(reader.root, "/DSS"), _MAX_BYTES
    found: dict[str, list[str]] = {name: [] for name in _KINDS}
    for name, key in _KINDS.items():
        for each in list(_entry(store, key))[:_MAX_VALUES]:
            content = bytes(each.get_object().data)
            left -= len(content)
            if left < 0:
                return found
            found[name].append(base64.b64encode(content).decode())
    return found


def _entry(dictionary: Any, key: str) -> Any:
    """Return an entry whose reference was followed, as ``.get`` of pyHanko does not."""
    try:
        return dictionary[key]
    except KeyError:
        return {}
