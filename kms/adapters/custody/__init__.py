"""Custody of the root key: software now; a crypto machine or token by the same port."""
