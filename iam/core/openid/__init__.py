"""OpenID Connect Core, the side of a relying party: discovery, keys, ID tokens."""
