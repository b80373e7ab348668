"""The tutelage database: the only package that opens it."""

from tutelage.store.records import AttemptRecord, OperationRecord
from tutelage.store.store import Store, Transaction

__all__ = ["AttemptRecord", "OperationRecord", "Store", "Transaction"]
