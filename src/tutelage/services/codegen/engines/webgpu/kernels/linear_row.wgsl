// out = act(x @ weight + bias), or out += that: four columns of one row an invocation. For few rows, as in decoding.
struct Call { rows: u32, columns: u32, inner: u32, activation: u32, adds: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, inner]
@group(0) @binding(1) var<storage, read> weight: array<vec4<Weight>>; // [inner, columns]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; // [columns]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, columns]
@group(0) @binding(4) var<uniform> call: Call;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = call.columns / 4u;
  let inner = call.inner / 4u;
  if (id.x >= columns) { return; }
  var sum = bias[id.x];
  for (var k = 0u; k < inner; k++) {
    let value = x[id.y * inner + k];
    let at = 4u * k * columns + id.x;
    sum += value.x * vec4<f32>(weight[at]) + value.y * vec4<f32>(weight[at + columns])
      + value.z * vec4<f32>(weight[at + 2u * columns]) + value.w * vec4<f32>(weight[at + 3u * columns]);
  }
  let place = id.y * columns + id.x;
  out[place] = finished(sum, call.activation) + select(vec4<f32>(), out[place], call.adds == 1u);
}
