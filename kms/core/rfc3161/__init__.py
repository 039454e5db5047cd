"""Time-stamp tokens (RFC 3161): what a token says. Who signed it is judged elsewhere."""

from kms.core.rfc3161.tokens import TimestampToken, read_token

__all__ = ["TimestampToken", "read_token"]
