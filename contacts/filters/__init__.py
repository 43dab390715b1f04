"""Filters: rules that choose contacts by what is known of them, kept under a name."""
