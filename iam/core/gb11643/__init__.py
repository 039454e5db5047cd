"""Citizen identity numbers (GB 11643-1999)."""
