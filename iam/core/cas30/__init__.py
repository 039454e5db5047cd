"""CAS protocol 3.0: what its two sides write and read."""
