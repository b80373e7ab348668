"""`generate`: text or code from a finished model. Options go to the service as they are: it says which it knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from tutelage.interfaces.cli.options import AsJson, OperationId


def generate(
    operation_id: OperationId,
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", metavar="TEXT", help="The text; - reads it from standard input.")
    ],
    max_new_tokens: Annotated[int | None, typer.Option(help="Tokens to write, at most.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 takes the likeliest token each time.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw from the K likeliest tokens only.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest that make up this share.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draws.")] = None,
    model: Annotated[str | None, typer.Option(help="Which of the operation's models; default the first.")] = None,
    beam: Annotated[int | None, typer.Option(help="codegen: keep this many hypotheses side by side.")] = None,
    constrain: Annotated[
        bool | None, typer.Option("--constrain/--free", help="codegen: write only what grammar and types allow.")
    ] = None,
    retrieve: Annotated[int | None, typer.Option(help="codegen: read this many known examples beside.")] = None,
    engine: Annotated[str | None, typer.Option(help="codegen: what computes: torch, ct2, onnx, wgpu.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the text to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let a finished model write: text that goes on, or code that does what a sentence asks."""
    from tutelage.core.wire import UseRequest
    from tutelage.interfaces.cli.session import find, print_json, session
    from tutelage.interfaces.cli.terminal import say

    given: dict[str, Any] = {
        "max_new_tokens": max_new_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
        "model": model,
        "beam": beam,
        "constrain": constrain,
        "retrieve": retrieve,
        "engine": engine,
    }
    text = sys.stdin.read() if prompt == "-" else prompt
    request = {"prompt": text, **{name: value for name, value in given.items() if value is not None}}
    with session() as client:
        answer = client.use(find(client, operation_id), UseRequest(data=request))
    if output is not None:
        output.write_text(f"{answer.data.get('text', '')}\n", encoding="utf-8")
    if as_json:
        return print_json(answer)
    if output is not None:
        return say(f"Wrote {output}")
    return say(_shown(f"{answer.data.get('prompt', '')}{answer.data.get('text', '')}"))


def _shown(text: str) -> Text:
    """Return a text without markup, and without signs that steer a terminal: a model writes what it likes."""
    return Text("".join(sign for sign in text if sign.isprintable() or sign in "\n\t"))
