"""The page at `/`: static files, which hold nothing of a home; all they show comes through the API."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from tutelage.core.errors import NotFound

router = APIRouter(include_in_schema=False)
WEB = Path(__file__).parents[1] / "web"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cache-Control": "no-cache",
}


@router.get("/")
def index() -> FileResponse:
    """Return the page."""
    return _file("index.html")


@router.get("/web/{name:path}")
def asset(name: str) -> FileResponse:
    """Return one of the page's files."""
    return _file(name)


def _file(name: str) -> FileResponse:
    """Return a file of the page. Raises NotFound for any other name."""
    path = WEB / name
    if path.suffix not in TYPES or not path.is_file() or not path.resolve().is_relative_to(WEB.resolve()):
        raise NotFound(f"the page has no file {name[:100]!r}", hint="the page itself is at /")
    return FileResponse(path, media_type=TYPES[path.suffix], headers=HEADERS)
