"""Reports: exported with a proof, verified over files alone."""
