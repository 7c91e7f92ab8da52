"""Conform: a cue carried to a new cut, with everything kept that the recut did not touch."""
