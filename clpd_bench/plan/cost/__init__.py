"""What jobs cost: arithmetic on dimensions and numbers of tokens alone."""
