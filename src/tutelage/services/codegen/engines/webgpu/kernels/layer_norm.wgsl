// Layer normalization (Ba et al. 2016) of a row by one workgroup: mean, then variance, then scale and shift.
struct Call { width: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>; // [rows, width]
@group(0) @binding(1) var<storage, read> scale: array<f32>; // [width]
@group(0) @binding(2) var<storage, read> shift: array<f32>; // [width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [rows, width]
@group(0) @binding(4) var<uniform> call: Call;

const LANES = 64u;
var<workgroup> sums: array<f32, LANES>;

fn total(lane: u32, own: f32) -> f32 {
  sums[lane] = own;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) { sums[lane] += sums[lane + half]; }
    workgroupBarrier();
  }
  let sum = sums[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let first = group.x * call.width;
  var own = 0.0;
  for (var i = local.x; i < call.width; i += LANES) { own += x[first + i]; }
  let mean = total(local.x, own) / f32(call.width);
  own = 0.0;
  for (var i = local.x; i < call.width; i += LANES) {
    let away = x[first + i] - mean;
    own += away * away;
  }
  let rate = inverseSqrt(total(local.x, own) / f32(call.width) + 1e-5);
  for (var i = local.x; i < call.width; i += LANES) {
    out[first + i] = (x[first + i] - mean) * rate * scale[i] + shift[i];
  }
}
