"""How an alert is told to people: one sentence with its values, and why, in two languages."""
