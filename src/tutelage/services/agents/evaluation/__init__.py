"""How trained agents are examined, and what may be claimed from several seeds."""
