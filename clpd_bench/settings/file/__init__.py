"""From a file to plain values: read, extended, merged, explained where it is wrong."""
