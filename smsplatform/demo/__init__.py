"""The demo tenants: realistic people on fictional numbers, and a month of history."""
