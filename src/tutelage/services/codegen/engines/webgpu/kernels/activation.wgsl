// GELU with the error function of Abramowitz and Stegun 7.1.26 (error below 1.5e-7); put before the linear kernels.
fn error_function(x: vec4<f32>) -> vec4<f32> {
  let size = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * size);
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - series * exp(-size * size));
}

fn finished(x: vec4<f32>, activation: u32) -> vec4<f32> {
  if (activation == 1u) { return 0.5 * x * (1.0 + error_function(x * 0.70710678)); }
  return x;
}
