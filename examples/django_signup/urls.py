"""The pages: signing up, and the admin with its pages of jobs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from .views import sign_up, welcome

urlpatterns = [
    path("", sign_up, name="sign_up"),
    path("welcome", welcome, name="welcome"),
    path("admin/", admin.site.urls),
]
