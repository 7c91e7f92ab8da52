"""The window, and only the window."""
