"""Clients that authenticate by a signed assertion (``private_key_jwt``)."""
