"""Signing in with a certificate: whom it names, and that its key signed our challenge."""
