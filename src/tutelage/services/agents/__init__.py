"""`agents`: behaviour policies for one agent or a team, with communication."""
