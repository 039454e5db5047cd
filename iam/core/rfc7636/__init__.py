"""Proof key for code exchange (PKCE)."""
