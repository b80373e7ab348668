"""The four phases - architect, optimizer, accelerator, integrator - and the manifests between them."""
