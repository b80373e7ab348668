"""The page at `/`: static files, which hold nothing of a home; all they show comes through the API.

The files are read once, and their addresses hold a hash of them all: a browser asks for each of them once a version,
and `/` alone at each visit. Lines that are only a comment are for who reads the source; they are not sent.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fastapi import APIRouter, Request, Response

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
    "Vary": "Accept-Encoding",
}
COMMENT = re.compile(rb"^[ \t]*// .*\n", re.MULTILINE)
ASK_AGAIN, KEEP = "no-cache", "public, max-age=31536000, immutable"
MODULES = "<!-- modules -->"
LATER = frozenset(f"{view}.js" for view in ("compare", "decisions", "hosts", "models", "new", "services", "trajectory"))
"""What is seldom seen first: these modules are asked for when they are opened."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of the page, as it is and compressed."""

    content: bytes
    media_type: str
    packed: bytes = field(init=False)
    tag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "packed", gzip.compress(self.content, mtime=0))
        object.__setattr__(self, "tag", f'W/"{hashlib.sha256(self.content).hexdigest()[:16]}"')


class Page:
    """The page's files, read when they are first asked for."""

    def __init__(self, folder: Path = WEB) -> None:
        self._folder = folder

    @cached_property
    def version(self) -> str:
        """A hash of all files."""
        every = hashlib.sha256()
        for name, asset in sorted(self.assets.items()):
            every.update(f"{name} {asset.tag}\n".encode())
        return every.hexdigest()[:12]

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """Each file by its path in the folder."""
        return {
            path.relative_to(self._folder).as_posix(): Asset(content=_sent(path), media_type=TYPES[path.suffix])
            for path in self._folder.rglob("*")
            if path.suffix in TYPES and path.is_file()
        }

    @cached_property
    def index(self) -> Asset:
        """The page itself: its links name the version, and the modules of first views are asked for at once."""
        text = self.assets["index.html"].content.decode()
        own = (name for name in self.assets if name.endswith(".js") and name not in LATER)
        modules = sorted(name for name in own if f'"/web/{name}"' not in text)
        links = "\n".join(f'<link rel="modulepreload" href="/web/{name}">' for name in modules)
        text = text.replace(MODULES, links).replace('"/web/', f'"/web/{self.version}/')
        return Asset(content=text.encode(), media_type="text/html")


@router.get("/")
async def index(request: Request) -> Response:
    """Return the page."""
    return _answer(request, _page(request).index, ASK_AGAIN)


@router.get("/web/{name:path}")
async def asset(request: Request, name: str) -> Response:
    """Return one of the page's files; for good under the present version. Raises NotFound for any other name."""
    page = _page(request)
    version, _, rest = name.partition("/")
    # A tab that was opened before an update asks under the earlier version for views it has not shown yet.
    is_versioned = len(version) == len(page.version) and version.isalnum() and rest in page.assets
    found = page.assets.get(rest if is_versioned else name)
    if found is None:
        raise NotFound(f"the page has no file {name[:100]!r}", hint="the page itself is at /")
    return _answer(request, found, KEEP if version == page.version else ASK_AGAIN)


def _sent(path: Path) -> bytes:
    content = path.read_bytes()
    return COMMENT.sub(b"", content) if path.suffix == ".js" else content


def _page(request: Request) -> Page:
    page: Page = request.app.state.page
    return page


def _answer(request: Request, asset: Asset, cache: str) -> Response:
    headers = {**HEADERS, "Cache-Control": cache, "ETag": asset.tag}
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)
