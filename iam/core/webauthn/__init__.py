"""Passkeys (W3C Web Authentication Level 3): questions to browsers, and answers judged."""
