"""The playbooks plane."""
