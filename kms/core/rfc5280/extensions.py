"""One Extension (RFC 5280 §4.1), of certificates, lists and questions alike."""

from __future__ import annotations

from kms.core.x690 import Element, values


def read_extension(element: Element) -> tuple[str, bool, Element]:
    """Return the OID, whether it is critical, and the value's OCTET STRING; raise ``DerError``.

    FALSE may be written out, which is not DER: who minds looks at the number of fields.
    """
    parts = element.sequence("extension", 2, 3)
    critical = len(parts) == 3 and values.boolean(parts[1], "critical")  # noqa: PLR2004
    return values.oid(parts[0], "extnID"), critical, parts[-1]
