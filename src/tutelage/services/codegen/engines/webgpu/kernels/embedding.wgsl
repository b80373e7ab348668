// out = table[id] * scale + positions[first + t]: one workgroup row of invocations a token.
struct Call { rows: u32, width: u32, time: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> ids: array<u32>; // [rows]
@group(0) @binding(1) var<storage, read> table: array<vec4<Weight>>; // [vocabulary, width]
@group(0) @binding(2) var<storage, read> positions: array<vec4<f32>>; // [positions, width]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, width]
@group(0) @binding(4) var<uniform> call: Call;
@group(0) @binding(5) var<uniform> first: vec4<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let width = call.width / 4u;
  if (id.x >= width || id.y >= call.rows) { return; }
  let place = first.x + id.y % call.time;
  out[id.y * width + id.x] = vec4<f32>(table[ids[id.y] * width + id.x]) * call.scale + positions[place * width + id.x];
}
