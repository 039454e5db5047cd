"""Values of the key pool and its seals, one file per family."""
