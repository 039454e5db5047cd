"""Classes of data, with the grade of GB/T 43697-2024 each has and how it is recognised."""
