"""Two ablations, or one in two stores or as two versions of the code made it, cell by cell."""
