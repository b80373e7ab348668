// out = act(x @ weight + bias), or out += that: a tile of 4 rows by 4 columns an invocation, held in registers.
// On software adapters tiles in registers without barriers are 15 to 20 times faster than tiles in workgroup memory.
struct Call { rows: u32, columns: u32, inner: u32, activation: u32, adds: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, inner]
@group(0) @binding(1) var<storage, read> weight: array<vec4<Weight>>; // [inner, columns]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; // [columns]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, columns]
@group(0) @binding(4) var<uniform> call: Call;

fn keep(row: u32, column: u32, sum: vec4<f32>) {
  if (row >= call.rows) { return; }
  let place = row * (call.columns / 4u) + column;
  out[place] = finished(sum, call.activation) + select(vec4<f32>(), out[place], call.adds == 1u);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = call.columns / 4u;
  let inner = call.inner / 4u;
  let first = id.y * 4u;
  if (id.x >= columns || first >= call.rows) { return; }
  let last = call.rows - 1u;
  let row0 = first * inner;
  let row1 = min(first + 1u, last) * inner;
  let row2 = min(first + 2u, last) * inner;
  let row3 = min(first + 3u, last) * inner;
  var sum0 = bias[id.x];
  var sum1 = sum0;
  var sum2 = sum0;
  var sum3 = sum0;
  for (var k = 0u; k < inner; k++) {
    let at = 4u * k * columns + id.x;
    let w0 = vec4<f32>(weight[at]);
    let w1 = vec4<f32>(weight[at + columns]);
    let w2 = vec4<f32>(weight[at + 2u * columns]);
    let w3 = vec4<f32>(weight[at + 3u * columns]);
    let x0 = x[row0 + k];
    let x1 = x[row1 + k];
    let x2 = x[row2 + k];
    let x3 = x[row3 + k];
    sum0 += x0.x * w0 + x0.y * w1 + x0.z * w2 + x0.w * w3;
    sum1 += x1.x * w0 + x1.y * w1 + x1.z * w2 + x1.w * w3;
    sum2 += x2.x * w0 + x2.y * w1 + x2.z * w2 + x2.w * w3;
    sum3 += x3.x * w0 + x3.y * w1 + x3.z * w2 + x3.w * w3;
  }
  keep(first, id.x, sum0);
  keep(first + 1u, id.x, sum1);
  keep(first + 2u, id.x, sum2);
  keep(first + 3u, id.x, sum3);
}
