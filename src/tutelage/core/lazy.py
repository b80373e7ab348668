"""Public functions of the package, imported when first asked for: `import tutelage` stays cheap."""

from __future__ import annotations

import importlib
from typing import Any

PUBLIC = {"assess": "tutelage.analysis.library"}
"""Name in `tutelage` -> the module that holds it."""


def public_attribute(name: str) -> Any:
    """Return a public function of `tutelage` by name, for the package's `__getattr__`."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'tutelage' has no attribute {name!r}; public: {', '.join(sorted(PUBLIC))}")
    return getattr(importlib.import_module(PUBLIC[name]), name)
