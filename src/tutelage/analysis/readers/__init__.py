"""Curves from files: CSV, JSON lines, TensorBoard event files, MLflow's file store and its database."""

from tutelage.analysis.readers.read import CurveFile, read_curves

__all__ = ["CurveFile", "read_curves"]
