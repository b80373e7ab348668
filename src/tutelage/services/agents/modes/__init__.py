"""Training modes: each a protocol with an exit test of its own, whose outcome stands in the result."""
