"""Workers in the background: their pid files, and how they are started, found and stopped."""
