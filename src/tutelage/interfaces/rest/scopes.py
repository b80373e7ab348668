"""How far a token must reach for each route: whatever is not listed here asks for the most."""

from __future__ import annotations

import re

from tutelage.core.access import Scope

API = "/api/v1"
OPEN = {("POST", f"{API}/login"), ("GET", "/login"), ("GET", "/")}
"""Requests that nobody can have a token for yet."""

ASSETS = "/web/"
"""Where the page's own files lie; they hold nothing of a home."""

LOOKING = {"GET", "HEAD"}
FOR_ADMIN = (f"{API}/tokens",)
"""Paths that only an admin may even look at."""

MCP = "/mcp"
"""Agents' requests: every one is a POST, and what a tool needs is looked at when it is called."""

FOR_OPERATE = (
    ("POST", re.compile(rf"{API}/operations\Z")),
    ("PATCH", re.compile(rf"{API}/operations/[^/]+\Z")),
    ("POST", re.compile(rf"{API}/operations/[^/]+/(commands|use)\Z")),
    ("POST", re.compile(rf"{API}/inspect\Z")),
    ("PUT", re.compile(rf"{API}/inputs/[^/]+\Z")),
)


def needed_scope(method: str, path: str) -> Scope | None:
    """Return the scope that a request asks for, or None for one that needs no token."""
    if (method, path) in OPEN or (method == "GET" and path.startswith(ASSETS)):
        return None
    if path.startswith(FOR_ADMIN):
        return Scope.ADMIN
    if method in LOOKING or path == MCP:
        return Scope.READ
    if any(method == verb and pattern.match(path) for verb, pattern in FOR_OPERATE):
        return Scope.OPERATE
    return Scope.ADMIN
