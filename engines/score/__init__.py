"""Notes: the values, the written file, the landing on hits, the performance and the proof."""
