"""Template filters about messages."""
