"""Step-up: how strong and how fresh a sign-in must be."""
