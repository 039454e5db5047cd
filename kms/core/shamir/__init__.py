"""Shamir's secret sharing over GF(2^8), and the written form of a share.

A. Shamir, "How to share a secret", CACM 22(11), 1979. The field and the polynomials are those
of draft-mcgrew-tss-03 (x^8 + x^4 + x^3 + x + 1), so that others' shares combine here.
"""
