"""Tables and the numbers in them, whatever they are written in."""
