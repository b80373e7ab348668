"""What runs a trained model: torch, CTranslate2, ONNX Runtime, WebGPU; each behind one of two small protocols."""
