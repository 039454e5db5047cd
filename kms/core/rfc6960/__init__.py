"""OCSP (RFC 6960, the light profile of RFC 5019, nonces of RFC 9654): the responder's side."""
