"""Whether a seal may be used now: its use policy against the circumstances."""
