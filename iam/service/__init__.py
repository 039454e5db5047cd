"""Use cases of the plane: authorise, load, decide, one unit of work, announce."""
