"""Episodes to look at: trajectories as JSON, which the page animates, and as GIF."""
