"""The hands of a worker: what performs the jobs that its claimer holds."""
