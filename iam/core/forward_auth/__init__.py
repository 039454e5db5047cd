"""Applications behind a proxy that asks before it lets a request through."""
