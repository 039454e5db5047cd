"""The kms plane."""
