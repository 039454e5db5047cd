"""Playbooks: checked, registered, approved."""
