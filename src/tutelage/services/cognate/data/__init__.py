"""From samples to batches: tokenizer, mixing, token streams."""
