"""Data only: rules, controls, playbooks, policies; read by importlib.resources."""
