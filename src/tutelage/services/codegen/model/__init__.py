"""The Transformer, in torch alone: embeddings, layers, the cache that decoding keeps."""
