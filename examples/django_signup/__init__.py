"""A sign-up page with Django, whose welcome mail is sent in the background."""
