"""What is taken away and what is shown for it: locks, devices, which applications open."""
