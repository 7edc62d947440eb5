"""What every worker does for the whole table, beside its jobs."""
