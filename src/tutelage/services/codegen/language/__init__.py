"""Both languages: WGSL lexemes and their ids, the sentences' sub-words, and the slots that names and numbers go through."""
