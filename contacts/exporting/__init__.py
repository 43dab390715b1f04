"""Contacts as a file: which columns, the cells of each person, the pieces of the file."""
