"""The Python client: Platform's methods over HTTP, a local supervisor started when none answers."""

from tutelage.client.client import Client, LedgerState
from tutelage.client.connect import connect
from tutelage.client.document import load_document, parse_override

__all__ = ["Client", "LedgerState", "connect", "load_document", "parse_override"]
