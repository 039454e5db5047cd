"""Each request decided anew: the policy decision point and the risk it looks at."""
