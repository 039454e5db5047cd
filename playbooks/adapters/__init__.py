"""Adapters of the playbooks plane."""
