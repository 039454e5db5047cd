"""What the plane uses outside the database: custody of keys, drawing of seal pictures."""
