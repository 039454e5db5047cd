"""What the plane needs from outside besides the database: Cedar, argon2id, the shipped rules."""
