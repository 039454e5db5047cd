"""The iam plane."""
