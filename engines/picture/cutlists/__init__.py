"""One module for each format that an editor's cut list comes in."""
