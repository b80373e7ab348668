"""The words of WGSL: keywords, reserved words, types, functions (W3C, "WebGPU Shading Language", sections 2 and 17)."""

from __future__ import annotations

KEYWORDS = frozenset(
    "alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if "
    "let loop override requires return struct switch true var while".split()
)

RESERVED = frozenset(
    "NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class "
    "co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval "
    "constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export "
    "extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl "
    "implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move "
    "mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null "
    "nullptr of operator package packoffset partition pass patch pixelfragment precise precision premerge priv "
    "protected pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared "
    "sizeof smooth snorm static static_assert static_cast std subroutine super target template this thread_local "
    "throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual "
    "volatile wgsl where with writeonly yield".split()
)

SCALARS = ("bool", "f16", "f32", "i32", "u32")
VECTORS = tuple(f"vec{n}<{scalar}>" for n in (2, 3, 4) for scalar in ("f32", "i32", "u32"))
MATRICES = tuple(f"mat{n}x{n}<f32>" for n in (2, 3, 4))
SHORT_TYPES = frozenset(
    [*SCALARS, "array", "atomic", "ptr", "sampler", "sampler_comparison", "texture_2d", "texture_3d"]
    + [f"vec{n}{letter}" for n in (2, 3, 4) for letter in ("", "f", "h", "i", "u")]
    + [f"mat{n}x{m}{letter}" for n in (2, 3, 4) for m in (2, 3, 4) for letter in ("", "f", "h")]
)

FUNCTIONS = frozenset(
    "abs acos acosh all any arrayLength asin asinh atan atan2 atanh atomicAdd atomicLoad atomicMax atomicMin "
    "atomicStore bitcast ceil clamp cos cosh countOneBits cross degrees determinant distance dot dpdx dpdy exp exp2 "
    "faceForward floor fma fract frexp fwidth inverseSqrt ldexp length log log2 max min mix modf normalize pow "
    "quantizeToF16 radians reflect refract reverseBits round saturate select sign sin sinh smoothstep sqrt step "
    "storageBarrier tan tanh textureDimensions textureLoad textureSample textureSampleLevel textureStore transpose "
    "trunc workgroupBarrier".split()
)

NOT_NAMES = KEYWORDS | RESERVED | SHORT_TYPES | FUNCTIONS | {"_"}
"""What no variable or function may be called: forbidden by the language, or hiding what the code calls."""
