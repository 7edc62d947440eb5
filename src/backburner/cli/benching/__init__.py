"""What `backburner bench` is made of: measurements of the user's own database, with jobs that do nothing."""
