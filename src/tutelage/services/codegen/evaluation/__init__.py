"""How well anything that writes code writes it: does it compile, does it compute, what did it copy."""
