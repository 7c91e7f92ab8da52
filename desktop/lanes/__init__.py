"""The lanes of the timeline, one module each."""
