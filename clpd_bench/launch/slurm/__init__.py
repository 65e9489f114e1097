"""On a cluster: a plan becomes Slurm jobs, and nothing has to stay alive where they were submitted."""
