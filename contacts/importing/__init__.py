"""From an uploaded file to contacts: decode, guess the columns, read the rows, load them, drive it all."""
