"""How messages leave: how many at a time, when again, to whom, and in which words."""
