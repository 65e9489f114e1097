"""The model card of an exported model: what the store knows of it, as Markdown with YAML before it."""
