"""What the integrator puts together: a folder that runs without Tutelage, with its list of SHA-256."""
