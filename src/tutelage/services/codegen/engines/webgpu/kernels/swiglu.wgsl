// out = silu(gate) * up (Shazeer 2020); gate and up stand side by side in each row.
struct Call { rows: u32, columns: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, 2 * columns]
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>; // [rows, columns]
@group(0) @binding(2) var<uniform> call: Call;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = call.columns / 4u;
  if (id.x >= columns || id.y >= call.rows) { return; }
  let gate = x[id.y * 2u * columns + id.x];
  let up = x[id.y * 2u * columns + columns + id.x];
  out[id.y * columns + id.x] = gate / (1.0 + exp(-gate)) * up;
}
