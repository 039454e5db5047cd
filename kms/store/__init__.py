"""Keys and seals in the database."""
