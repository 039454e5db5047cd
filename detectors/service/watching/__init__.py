"""What watches the watchers: quiet sources, the store, the plane itself."""
