"""What the tests of oracles and engines share: whether an adapter is here, and tables of shaders."""

from __future__ import annotations

import functools

import pytest

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.oracle.adapter import find_adapter


@functools.cache
def absent_adapter() -> str | None:
    """Return why this machine can run no shader, or None where it can."""
    try:
        find_adapter()
    except MissingDependency as error:
        return f"{error.message}; {error.hint}"
    return None


def needs_adapter() -> None:
    """Skip a test where no adapter is here, with the reason; in CI such a skip fails."""
    if reason := absent_adapter():
        pytest.skip(reason)


KERNEL = """@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3<u32>) { BODY }
"""

GOOD = {
    "a function": "fn f(x: f32) -> f32 { return x * 2.0; }",
    "a kernel": KERNEL.replace("BODY", "y[id.x] = x[id.x] + sin(f32(id.x));"),
    "a structure": "struct S { a: f32, b: vec2<f32> }\nfn f(s: S) -> f32 { return s.a + s.b.x; }",
    "a loop": "fn f() -> f32 { var s = 0.0; for (var i = 0; i < 4; i++) { s += f32(i); } return s; }",
    "nesting of 60": f"fn f(x: f32) -> f32 {{ return {'(' * 60}x{')' * 60}; }}",
    "f16": "enable f16;\nfn f(x: f16) -> f16 { return x * 2.0h; }",
    "letters beyond ASCII": "// \u00e9\u00e8 \u2603 \U0001f600\nfn f(x: f32) -> f32 { return x; }",
    "workgroup memory": "var<workgroup> w: array<f32, 64>;\n@compute @workgroup_size(64) fn m() { w[0] = 1.0; }",
    "parentheses in a comment": f"/* {'(' * 500} */\nfn f() -> f32 {{ return 1.0; }}",
}

GOOD |= {
    "a long word": f"fn f() -> f32 {{ return 1.0; }} // {'a' * 900_000}",
    "structures that double at each level": "struct S0 { a: f32 }\n"
    + "".join(f"struct S{n} {{ a: S{n - 1}, b: S{n - 1} }}\n" for n in range(1, 10))
    + "var<workgroup> w: S9;\n@compute @workgroup_size(1) fn m() { w.a = S8(); }",
}

BAD = {
    "an empty text": "",
    "comments alone": "// nothing\n/* at all */",
    "a wrong type": "fn f() -> f32 { return 1u; }",
    "an unknown function": "fn f() -> f32 { return foo(1.0); }",
    "a missing bracket": "fn f( {",
    "garbage": "\x01\x02" + "@#$%^&*(" * 50,
    "a NUL character": "fn f() {}\0 garbage",
    "a lone surrogate": "fn f() {} // \ud800",
    "two functions of one name": "fn a() {} fn a() {}",
    "recursion": "fn f() { f(); }",
    "a division by zero": "const a = 1 / 0;\nfn f() -> i32 { return a; }",
    "an index beyond the end": "fn f() -> f32 { var a = array<f32, 3>(); return a[5]; }",
    "a negative length": "var<private> a: array<f32, -1>;\n@compute @workgroup_size(1) fn m() { a[0] = 1.0; }",
    "no workgroup size": "@compute fn main() {}",
    "400 MB of workgroup memory": "var<workgroup> a: array<f32, 100000000>;\n"
    "@compute @workgroup_size(1) fn m() { a[0] = 1.0; }",
    "a bomb of parentheses": f"fn f() -> f32 {{ return {'(' * 20_000}1.0{')' * 20_000}; }}",
    "a bomb of braces": f"fn f() {{ {'{' * 20_000}{'}' * 20_000} }}",
    "a bomb of templates": f"var<private> a: {'array<' * 5_000}f32{', 2>' * 5_000};\nfn f() {{}}",
    "a bomb of operators": f"fn f(x: bool) -> bool {{ return {'!' * 50_000}x; }}",
    "a long word outside of comments": "a" * 900_000,
    "structures that never end": f"fn f() {{}} {'struct A {' * 90}",
    "workgroup variables that never end": f"fn f() {{}} {'var<workgroup> a: ' * 50_000}",
    "more than 1 MB": f"fn f() {{}} //{'a' * 1_000_000}",
}
