"""Sources, splits, tokenizers: text becomes a folder of prompts and responses in tokens."""
