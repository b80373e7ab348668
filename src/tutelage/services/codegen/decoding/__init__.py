"""How programs are written: greedy, beam, draws; under a mask, or checked against a draft; over any StepEngine."""
