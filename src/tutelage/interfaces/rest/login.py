"""The page behind a login link. The code stands after `#`, so no log, proxy or history of a server ever sees it."""

from __future__ import annotations

import base64
import hashlib

SCRIPT = """
const say = (text) => { document.querySelector("p").textContent = text; };
const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
fetch("api/v1/login", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({code})})
  .then(async (answer) => {
    const told = await answer.json();
    if (!answer.ok) return say(`${told.detail}. ${told.hint}`);
    say(`You are logged in as ${told.principal.name}.`);
    localStorage.setItem("tutelage.session", JSON.stringify(told));
    location.replace("./");
  })
  .catch(() => say("The server does not answer."));
"""
LOGIN_PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Tutelage</title><h1>Tutelage</h1><p role="status">Logging in.</p>
<noscript>Logging in needs JavaScript.</noscript>
<script>{SCRIPT}</script></html>
"""
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
LOGIN_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; connect-src 'self'; script-src 'sha256-{_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
