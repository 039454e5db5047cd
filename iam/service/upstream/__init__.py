"""Use cases around identity providers upstream: configure, sign in, follow who leaves."""
