"""Metrics in the text format of Prometheus, and the operator's page made of them."""
