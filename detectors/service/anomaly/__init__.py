"""Models of habits: trained, kept signed, explained, and the risk of a sign-in."""
