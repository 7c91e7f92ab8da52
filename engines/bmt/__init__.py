"""BM-Transformer: compound words, a linear-attention transformer, one recurrent step a word."""
