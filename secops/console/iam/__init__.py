"""Accounts, roles, sessions, resets."""

from secops.console.iam.pages import routes

__all__ = ["routes"]
