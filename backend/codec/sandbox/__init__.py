"""The codec's processes that touch an image: the zygote, and the child it forks for each job."""
