"""The kinds of training, reached through the registry."""
