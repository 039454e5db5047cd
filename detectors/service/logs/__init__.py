"""Sources of logs: listened to, shipped, masked, stored, searched, traced."""
