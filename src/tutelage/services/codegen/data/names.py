"""The names that generated programs use: none is a word of WGSL, and none a word of the sentences."""

from __future__ import annotations

NAMES = (
    "p q uv pos dir col tint bas x y s t u w k h lamp nrm ray amt lvl rim msk pnt val src dst buf items "
    "out_buf in_buf samples texel pix_in tap_b bias_b dep hgt wgt phi frq amp ctr crn org v0_in r2 xs ys res"
).split()
"""Variables, parameters, buffers and fields. The model sees slots in their place, so the list only feeds the tests of
slots and the texts that people read."""

FUNCTION_NAMES = [
    f"{verb}_{noun}"
    for verb in "shade eval make apply get calc blend warp field signal node stage filter probe kernel".split()
    for noun in "one two edge glow mask tone wave dist color step grid noise core part mix".split()
]
