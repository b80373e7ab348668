"""The words of the sentences: what tells a name from an English word in a prompt."""

from __future__ import annotations

import re
from functools import cache

from tutelage.services.codegen.data.primitives import PRIMITIVES
from tutelage.services.codegen.data.programs import function, kernel, reduction

FUNCTION_WORDS = frozenset(
    "a an the of to in into on at by for from with without and or not is are be as it its it's this that these those "
    "which what when where whichever who how if else then than do does did one two three four zero each every all any "
    "both over under above below between within along around about across per out up down me my we i you your he she "
    "they them us please can could should would will shall must may might want need needs so such same other another "
    "some no only just also very more most less least first second third fourth last next new given write make define "
    "create build give return returns returning returned compute computes computed calculate produce output outputs "
    "store stores stored read reads take takes taking accept accepts taken get set use uses using used code wgsl "
    "shader shaders function functions kernel kernels helper struct structure texture array buffer named called name "
    "input inputs parameter parameters argument arguments result value values element elements entry entries item "
    "pixel pixels field fields number numbers float floats scalar scalars vector vectors integer bool true false "
    "workgroup group size thread threads loop program its per becomes let be but while after before until against "
    "minus plus times half twice double product component components coordinate coordinates part "
    "points colours colors directions positions channels channel".split()
)

DECLARABLE = frozenset(
    "value level radius angle height width edge power slope offset scale mask phase line plane box circle sphere "
    "colour color direction distance length alpha point normal step shape shapes pattern gray sum total pair limit "
    "range field image brightness contrast exposure image weight light base input output result data count index "
    "threshold thickness factor amount position size coefficient exponent sign wave noise".split()
)
"""English words that are names where a type or `named` stands before them: `float radius`, `the vec3 normal`."""

_WORD = re.compile(r"[A-Za-z_]\w*")
_HOLE = re.compile(r"\{\w+\}")


@cache
def english() -> frozenset[str]:
    """Every word of the sentences' templates, and the commonest of English."""
    templates = [phrase for primitive in PRIMITIVES["wide"] for phrase in primitive.phrases]
    for module in (function, kernel, reduction):
        for value in vars(module).values():
            if isinstance(value, tuple) and all(isinstance(text, str) for text in value):
                templates += value
    found = (word.lower() for text in templates for word in _WORD.findall(_HOLE.sub(" ", text)))
    words = {word for word in found if len(word) > 1}
    return (
        FUNCTION_WORDS | words | {word for pair in reduction.WORDS.values() for said in pair for word in said.split()}
    )
