"""What tuning found: from the store into a file, and from that file into reports."""
