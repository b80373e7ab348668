"""The engine on WebGPU: our own WGSL kernels on any GPU, or on the software that stands in for one."""
