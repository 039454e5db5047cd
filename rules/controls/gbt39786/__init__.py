"""GB/T 39786-2021, units of the assessment of commercial cryptography."""
