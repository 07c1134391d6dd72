"""Job state, queue, leases and announcements in Redis."""
