"""GB/T 22240-2020 (定级): the levels that harm leads to."""
