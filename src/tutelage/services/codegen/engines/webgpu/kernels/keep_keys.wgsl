// Copies the new keys and values from [rows, 3 * width] to their positions in the cache [batch, room, 2 * width].
struct Call { rows: u32, time: u32, width: u32, room: u32 }

@group(0) @binding(0) var<storage, read> projected: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> cache: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> call: Call;
@group(0) @binding(3) var<uniform> first: vec4<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let width = call.width / 4u;
  if (id.x >= 2u * width || id.y >= call.rows) { return; }
  let place = (id.y / call.time) * call.room + first.x + id.y % call.time;
  cache[place * 2u * width + id.x] = projected[id.y * 3u * width + width + id.x];
}
