"""Pages and callbacks of messaging."""
