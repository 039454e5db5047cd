"""Where the audits plane keeps its state."""
