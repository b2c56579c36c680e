"""Other people's generators as priors, one file for each family."""
