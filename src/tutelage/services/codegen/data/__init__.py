"""Pairs of sentence and WGSL with reference semantics: own generator, users' pairs, sentences written by hand."""
