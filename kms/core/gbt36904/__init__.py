"""Identifiers of e-certificates (GB/T 36904-2018)."""
