"""Which tokens may come next: by grammar, and by declared names and types."""
