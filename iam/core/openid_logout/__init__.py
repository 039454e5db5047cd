"""Logout tokens and the patience with partners (OpenID Connect Back-Channel Logout 1.0)."""
