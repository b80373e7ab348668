"""Tasks that agents are trained on: batched ones of our own, public ones by id, and users' own."""
