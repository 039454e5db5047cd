"""Sigma rules: from YAML through pySigma to a typed tree of our own."""
