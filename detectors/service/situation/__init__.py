"""The situation (态势感知): seven figures, risk by system, and what is to be expected."""
