"""What jobs take: memory, hours, space, and whether they fit."""
