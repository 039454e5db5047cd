"""JWK thumbprints."""
