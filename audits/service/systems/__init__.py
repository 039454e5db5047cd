"""The register of systems and what an assessment is of."""
