"""Authorization requests and refresh tokens."""
