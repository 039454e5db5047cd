"""DER (ITU-T X.690): reading by walking what is stored, writing what is exact.

Signatures cover stored bytes, so nothing here decodes and encodes again: an ``Element``
knows where its bytes lie, and ``raw`` is what was signed.
"""

from kms.core.x690.elements import DerError, Element, read_der

__all__ = ["DerError", "Element", "read_der"]
