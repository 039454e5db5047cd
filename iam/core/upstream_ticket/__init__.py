"""Tickets of provincial platforms: signed by SM2, encrypted by SM4, laid out as data says."""
