// The k largest scores of each row, largest first, equal ones by their id: k passes, each below the one before.
struct Call { width: u32, num_columns: u32, count: u32, lowest: u32 }

@group(0) @binding(0) var<storage, read> scores: array<f32>; // [rows, width], of which num_columns count
@group(0) @binding(1) var<storage, read_write> values: array<f32>; // [rows, count]
@group(0) @binding(2) var<storage, read_write> found: array<u32>; // [rows, count]
@group(0) @binding(3) var<uniform> call: Call;

const LANES = 64u;
const NONE = 0xffffffffu;
var<workgroup> best_value: array<f32, LANES>;
var<workgroup> best_id: array<u32, LANES>;

fn is_before(value: f32, id: u32, other: f32, other_id: u32) -> bool {
  return value > other || (value == other && id < other_id);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let lane = local.x;
  var last_value = 3.0e38;
  var last_id = 0u;
  for (var k = 0u; k < call.count; k++) {
    var value = -3.0e38;
    var id = NONE;
    for (var i = call.lowest + lane; i < call.num_columns; i += LANES) {
      let score = scores[group.x * call.width + i];
      let is_new = k == 0u || is_before(last_value, last_id, score, i);
      if (is_new && is_before(score, i, value, id)) {
        value = score;
        id = i;
      }
    }
    best_value[lane] = value;
    best_id[lane] = id;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lane < half && is_before(best_value[lane + half], best_id[lane + half], best_value[lane], best_id[lane])) {
        best_value[lane] = best_value[lane + half];
        best_id[lane] = best_id[lane + half];
      }
      workgroupBarrier();
    }
    last_value = best_value[0];
    last_id = best_id[0];
    workgroupBarrier();
    if (lane == 0u) {
      values[group.x * call.count + k] = last_value;
      found[group.x * call.count + k] = last_id;
    }
  }
}
