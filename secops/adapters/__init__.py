"""Drivers: what the kernel's ports are in the real world."""
