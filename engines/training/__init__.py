"""Teaching and exporting the networks of the engines: what all of them share. Nothing that composes loads any of it."""
