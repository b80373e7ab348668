"""Reads tables: sources, kinds of columns, the target, a look before training."""
