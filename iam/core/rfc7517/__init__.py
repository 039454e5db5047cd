"""Public keys of others as JWKs."""
