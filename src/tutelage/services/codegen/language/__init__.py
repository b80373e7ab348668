"""Both languages: WGSL lexemes and their ids, the sentences' sub-words, the slots of names and numbers."""
