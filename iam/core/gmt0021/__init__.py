"""One-time passwords with SM3 (GM/T 0021, GB/T 38556-2020)."""
