"""Requests for certificates (PKCS#10, RFC 2986): read strictly, proved, and written for SM2."""
