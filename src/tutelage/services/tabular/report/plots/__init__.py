"""Pictures of a result, one function each: light, readable, for colour-blind eyes too. Drawn in the fit child."""
