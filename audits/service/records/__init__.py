"""Records of evidence: uploaded, read, withdrawn, given to assessments."""
