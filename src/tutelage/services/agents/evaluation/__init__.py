"""How well policies do: episodes of their own, seeds of their own."""
