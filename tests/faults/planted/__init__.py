"""Bugs that are planted into a copy of backburner, one after the other: the tests must find each of them."""
