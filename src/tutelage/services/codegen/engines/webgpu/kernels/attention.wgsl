// softmax(q k / sqrt(E)) v in one pass over the keys, with a running maximum and sum (Milakov and Gimelshein 2018):
// no matrix of scores is ever stored. One invocation a query and head.
struct Call {
  rows: u32, // queries in all: batch * time
  time: u32, // queries of a batch row
  heads: u32,
  query_width: u32, // floats from one query to the next
  key_width: u32, // floats from one position of the keys to the next
  key_at: u32, // where keys and values begin within a position
  value_at: u32,
  room: u32, // positions of a row of keys
  is_causal: u32, // 1: a query sees what is written up to itself; 0: it sees its source's tokens
}

@group(0) @binding(0) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> sources: array<vec2<u32>>; // of a batch row: its row of keys, their number
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, heads * E]
@group(0) @binding(4) var<uniform> call: Call;
@group(0) @binding(5) var<uniform> first: vec4<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= call.rows) { return; }
  let row = id.x / call.time;
  let is_causal = call.is_causal == 1u;
  let source = sources[row];
  let count = select(source.y, first.x + id.x % call.time + 1u, is_causal);
  let start = select(source.x, row, is_causal) * call.room;
  var query: array<vec4<f32>, HEAD_QUADS>;
  var sum: array<vec4<f32>, HEAD_QUADS>;
  let query_at = (id.x * call.query_width) / 4u + id.y * HEAD_QUADS;
  for (var c = 0u; c < HEAD_QUADS; c++) {
    query[c] = queries[query_at + c] * SCORE_SCALE;
    sum[c] = vec4<f32>();
  }
  var largest = -3.0e38;
  var weight = 0.0;
  for (var j = 0u; j < count; j++) {
    let at = (start + j) * (call.key_width / 4u) + id.y * HEAD_QUADS;
    var score = 0.0;
    for (var c = 0u; c < HEAD_QUADS; c++) { score += dot(query[c], keys[at + call.key_at / 4u + c]); }
    let new_largest = max(largest, score);
    let kept = exp(largest - new_largest);
    let share = exp(score - new_largest);
    weight = weight * kept + share;
    for (var c = 0u; c < HEAD_QUADS; c++) {
      sum[c] = sum[c] * kept + share * keys[at + call.value_at / 4u + c];
    }
    largest = new_largest;
  }
  let out_at = (id.x * call.heads + id.y) * HEAD_QUADS;
  for (var c = 0u; c < HEAD_QUADS; c++) { out[out_at + c] = sum[c] / max(weight, 1.0e-30); }
}
