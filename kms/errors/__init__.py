"""The branch of the error tree of keys and seals, one file per family."""
