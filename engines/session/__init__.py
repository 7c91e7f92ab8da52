"""The session: one cue with its picture, scenes, briefs and takes, and the file that holds it."""
