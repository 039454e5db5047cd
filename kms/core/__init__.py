"""Keys, Transit's language, and seals: pure, no clock, no I/O."""
