"""The Python client: Platform's methods over HTTP, a local supervisor started when none answers."""

from tutelage.client.client import Client
from tutelage.client.connect import connect
from tutelage.client.document import load_document, parse_override
from tutelage.client.lookup import find_operation
from tutelage.client.uploads import with_uploads

__all__ = ["Client", "connect", "find_operation", "load_document", "parse_override", "with_uploads"]
