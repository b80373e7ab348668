"""The protocol's own conformance suite, run against a served home: `make conformance`."""
