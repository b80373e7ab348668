"""The four phases - architect, optimizer, accelerator, integrator - and the manifests by which they trust one another."""
