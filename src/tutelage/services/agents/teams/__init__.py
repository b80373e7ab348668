"""How a team is organised: whose reward counts, who assigns what to whom, and what each is there for."""
