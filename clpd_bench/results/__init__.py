"""What came out, as data: collected outcomes, their standing, curves, schedules, published numbers. No prose."""
