"""Where the texts come from: local files, Python's own library, folders of text, the Hugging Face hub."""
