"""The page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.shortcuts import redirect, render

from .models import Member


class SignUp(forms.ModelForm):
    """What somebody who signs up is asked."""

    class Meta:
        model = Member
        fields = ("name", "email")


def sign_up(request: Any) -> Any:
    """Show the form, or save who signs up."""
    form = SignUp(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("welcome")
    return render(request, "sign_up.html", {"form": form}, status=422 if form.is_bound else 200)


def welcome(request: Any) -> Any:
    """Say that it worked."""
    return render(request, "sign_up.html", {"message": "Welcome! A mail is on its way."})
