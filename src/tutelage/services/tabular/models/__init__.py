"""The algorithms: names and spaces, factories, how each learns by rounds, encoders and the saved pipeline."""
