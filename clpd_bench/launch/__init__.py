"""Workers, here and on a cluster, and what there is to say of them while they work."""
