"""Fakes of the ports, and ready-made values: what the flows and the web are tested against. They pass the ports' own contract suites."""
