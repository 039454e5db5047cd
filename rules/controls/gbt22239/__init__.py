"""GB/T 22239-2019, general requirements."""
