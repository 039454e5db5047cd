"""Data: CACAO 2.0 playbooks of our own, each with an incident they are tried on."""
