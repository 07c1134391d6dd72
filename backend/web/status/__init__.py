"""The figures of the operator's page, now and in the last half hour."""
