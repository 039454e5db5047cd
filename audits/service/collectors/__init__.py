"""Use cases of collectors."""
