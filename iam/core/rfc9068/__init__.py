"""JWT access tokens: written and read by us alone."""
