"""The first page of everybody: what they may do, their own sessions, what waits for them."""

from secops.console.home.pages import routes

__all__ = ["routes"]
