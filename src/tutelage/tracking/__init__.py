"""The exporter: one operation to MLflow, in a process of its own, fed from the store after the fact."""
