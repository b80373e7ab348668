"""Proximal policy optimisation for one agent and for teams, several seeds at once."""
