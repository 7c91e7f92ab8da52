"""Editing programs: the scripts that they run to hand over their cuts, and a watched file for those that only export."""
