"""Time-based one-time passwords."""
