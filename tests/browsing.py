"""Browsers for tests of the page: signed in, with its own storage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.serving import Served
from tutelage.core.access import Scope

SIZE = {"width": 1440, "height": 900}
Visit = Callable[..., Page]


def context_of(browser: Browser, served: Served, *, scope: Scope = Scope.ADMIN, **options: Any) -> BrowserContext:
    """Return a browser's context that is signed in with the token of a scope."""
    context = browser.new_context(**{"viewport": SIZE, "reduced_motion": "reduce", **options})
    context.set_default_timeout(15_000)
    context.add_cookies([{"name": "tutelage_session", "value": served.tokens[scope], "url": served.url}])
    session = {"principal": {"name": f"{scope}-bot", "kind": "agent"}, "scope": str(scope)}
    told = json.dumps(json.dumps(session))
    context.add_init_script(f"localStorage.setItem('tutelage.session', {told})")
    return context
