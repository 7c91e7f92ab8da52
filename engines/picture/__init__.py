"""From a film or an editor's cut list to exact cuts."""
