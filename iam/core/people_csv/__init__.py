"""Reading people from a table that a personnel office exported."""
