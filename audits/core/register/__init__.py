"""The register of systems: how its fields are written and read, what is due when. Pure."""
