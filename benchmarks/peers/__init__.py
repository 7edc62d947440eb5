"""What other libraries do with the same work: the same no-op jobs, enqueued and drained in the way of each."""
