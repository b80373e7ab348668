"""The nearest known examples to a sentence, and what returning them instead of writing would give."""
