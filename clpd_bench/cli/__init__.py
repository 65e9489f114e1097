"""The command `clpd`: one file a verb, with what it prints."""
