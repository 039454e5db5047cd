"""Data: policies, classes and clocks that the product follows."""
