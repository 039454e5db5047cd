"""Certificates and revocation lists (RFC 5280) with SM2 (GM/T 0015), written exactly.

As in ``gbt38540.writing`` each is made in two moves: the bytes to sign, then the whole.
"""
