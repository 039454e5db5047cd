"""Risk assessment after GB/T 20984-2022."""
