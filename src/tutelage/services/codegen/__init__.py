"""`codegen`: trains an encoder-decoder Transformer that turns a sentence into WGSL."""
