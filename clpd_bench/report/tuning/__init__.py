"""What tuning found, in tables and sentences."""
