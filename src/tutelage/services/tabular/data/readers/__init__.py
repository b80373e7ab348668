"""One file a kind of source; `registry` says which reads what."""
