"""The model card of an exported model, as Markdown with YAML before it."""
