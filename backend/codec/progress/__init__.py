"""A percent of the whole job, from what encoder and decoder report and from measured costs."""
