"""The scope-and-type mask: declared names only, calls with their arity, types that fit, and always a way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.data.signature import DIMENSION, Signature
from tutelage.services.codegen.masks.lexicon import Lexicon, offer_of
from tutelage.services.codegen.masks.machine import Machine, Scope
from tutelage.services.codegen.masks.mask import Allowed, refused
from tutelage.services.codegen.masks.programs import Program

MAX_TOKENS = 256


class TypeMask:
    """The tokens that may come next so that the program compiles in the end.

    It keeps to the generated language in its layout: functions, `let`, `var`, loops, early returns, helpers, structs,
    kernels over buffers and textures. Within `max_tokens` tokens, `<eos>` not counted, every sequence can be ended:
    where room runs out, only what leads to the end is left.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        slots: Mapping[str, str],
        signature: Signature | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        scope = Scope(variables={}, functions={}, records={})
        machine = Machine(
            lexicon=lexicon,
            offer=offer_of(lexicon, slots),
            scope=scope,
            stack=None,
            left=max_tokens,
            signature=_expected(signature),
            slots=slots,
        ).push(Program())
        if machine.room < 0:
            raise InvalidSpec(
                f"max_tokens is {max_tokens}, but the shortest program takes {machine.cost}",
                hint=f"give at least {machine.cost}",
            )
        self._machine = machine
        self._size = lexicon.tokenizer.size
        self._next: list[int] | None = None

    def allowed(self) -> Allowed:
        """Return which ids may come next, (vocabulary,); after `<eos>`, that alone."""
        mask = np.zeros(self._size, dtype=np.bool_)
        mask[self._options()] = True
        return mask

    def advance(self, id: int) -> None:
        """Take the next token. Raises InvalidSpec for one that is not allowed."""
        if id not in self._options():
            raise refused(self._machine.lexicon.tokenizer.tokens[id])
        if self._machine.stack is not None:
            after = self._machine.top.take(self._machine, id)
            self._machine = replace(after, left=after.left - 1)
            self._next = None

    def fork(self) -> TypeMask:
        """Return an independent mask in the same place; what is shared never changes."""
        copy = object.__new__(TypeMask)
        copy._machine, copy._size, copy._next = self._machine, self._size, self._next
        return copy

    def _options(self) -> list[int]:
        machine = self._machine
        if self._next is None:
            ended = machine.stack is None
            self._next = [machine.lexicon.eos] if ended else list(machine.top.options(machine))
        return self._next


def _expected(signature: Signature | None) -> tuple[str, tuple[int, ...], int] | None:
    """A function's name, dimensions of its parameters and its result; None where that is not all numeric."""
    if signature is None or signature.entry != "function" or signature.result not in DIMENSION:
        return None
    types = [parameter.type for parameter in signature.parameters]
    if not types or any(type not in DIMENSION for type in types):
        return None
    return signature.name, tuple(DIMENSION[type] for type in types), DIMENSION[signature.result]
