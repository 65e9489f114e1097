"""What models read, and the floating-point operations that it takes, for jobs, plans and reports alike. No torch."""
