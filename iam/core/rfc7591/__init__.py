"""What an application asks to be registered with."""
