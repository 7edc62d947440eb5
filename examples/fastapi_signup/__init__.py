"""A sign-up service with FastAPI and SQLAlchemy's AsyncSession, whose welcome mail is sent in the background."""
