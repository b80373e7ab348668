"""Policies and critics: several seeds as one batched model, stacked along the first axis of every weight."""
