"""Tests of what the project does on its own database, outside of any test environment of Django's."""
