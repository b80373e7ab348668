"""The way in: sources to programs, by the search that the config asks for, in batches of like lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.decoding.beam import beam_search
from tutelage.services.codegen.decoding.sampling import sample
from tutelage.services.codegen.decoding.written import Written
from tutelage.services.codegen.engines.base import StepEngine
from tutelage.services.codegen.masks.mask import Mask

MaskFor = Callable[[int], Mask]
"""Makes the mask of the source at a place."""


def write(
    engine: StepEngine,
    sources: Sequence[Sequence[int]],
    config: DecodingConfig,
    *,
    max_tokens: int,
    mask_for: MaskFor | None = None,
    batch_size: int = 64,
) -> list[Written]:
    """Write a program for each source, in the sources' order. Draws hang on the seed and a place, not on batches."""
    bound = min(max_tokens, config.max_new_tokens)
    order = sorted(range(len(sources)), key=lambda place: len(sources[place]))
    found: dict[int, Written] = {}
    for first in range(0, len(order), batch_size):
        places = order[first : first + batch_size]
        masks = [mask_for(place) for place in places] if mask_for is not None else None
        batch = [sources[place] for place in places]
        if config.beam > 1:
            written = beam_search(engine, batch, config, max_tokens=bound, masks=masks)
        else:
            written = sample(engine, batch, config, max_tokens=bound, masks=masks, streams=places)
        found.update(zip(places, written, strict=True))
    return [found[place] for place in range(len(sources))]
