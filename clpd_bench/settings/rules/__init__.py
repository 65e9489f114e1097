"""Combinations of settings that are well-formed each by itself and wrong together."""
