"""What keys and seals need from outside, one file per family."""
