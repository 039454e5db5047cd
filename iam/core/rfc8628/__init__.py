"""The device authorization grant."""
