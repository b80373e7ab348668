"""`codegen`: sentences to WGSL that compiles, computes and runs on any machine."""
