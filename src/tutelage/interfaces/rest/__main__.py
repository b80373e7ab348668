"""`python -m tutelage.interfaces.rest`: print the API's OpenAPI document, the one kept in docs/reference."""

from __future__ import annotations

import json
import sys
from typing import cast

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.interfaces.rest.app import create_app

document = create_app(cast(ControlPlatform, None), Hub()).openapi()
sys.stdout.write(json.dumps(document, indent=1, sort_keys=True) + "\n")
