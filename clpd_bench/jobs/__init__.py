"""One body a kind of job: plain settings and folders in, a folder and a few numbers out."""
