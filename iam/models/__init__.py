"""What the plane talks about: frozen values, no behaviour that reaches outside."""
