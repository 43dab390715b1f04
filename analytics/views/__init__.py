"""Home, and the page of one contact."""
