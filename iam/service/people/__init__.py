"""Accounts, roles, organisations and mandates, and what people prove themselves with."""
