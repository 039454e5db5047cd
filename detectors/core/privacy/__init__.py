"""Personal data and secrets in lines: recognised, graded, masked before anything is stored."""
