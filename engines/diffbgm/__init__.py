"""Diff-BGM (Li et al., CVPR 2024): music as a picture of notes, drawn out of noise in eight-bar windows."""
