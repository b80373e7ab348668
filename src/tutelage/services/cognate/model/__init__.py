"""The model: plain torch and nothing of Tutelage, so that the Hugging Face export ships these very files."""
