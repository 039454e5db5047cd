"""The rules of keys: what binds a record to the root key, and what a key's state allows."""
