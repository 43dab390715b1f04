"""Pages of the tenants app."""
