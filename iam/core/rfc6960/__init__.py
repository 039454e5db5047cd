"""RFC 6960: asking a responder whether a certificate was revoked, and judging its answer."""
