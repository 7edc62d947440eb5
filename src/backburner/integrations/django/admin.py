"""The admin's pages of jobs: to look at, to retry, to cancel, to delete. What changes goes through `app.jobs`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as djangos_delete_selected
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.html import format_html

from backburner.app import current
from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.lifecycle import State
from backburner.integrations.django.models import FinishedJob, Job
from backburner.integrations.django.setting import chosen

SHOWN = 5
"""How many refusals are told one by one."""


class StateFilter(admin.SimpleListFilter):
    """Jobs that are in one state just now."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        """Return the states that jobs of this page may have."""
        return [(state.value, state.value) for state in model_admin.states]

    def queryset(self, request: Any, queryset: Any) -> Any:  # noqa: ARG002  # Django's signature
        """Return the jobs that fit."""
        return queryset.filter(current_state=self.value()) if self.value() else queryset


class QueueFilter(admin.SimpleListFilter):
    """Jobs in one queue."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        """Return the queues that have jobs."""
        return [(queue.name, queue.name) for queue in current().queues.list()]

    def queryset(self, request: Any, queryset: Any) -> Any:  # noqa: ARG002  # Django's signature
        """Return the jobs that fit."""
        return queryset.filter(queue=self.value()) if self.value() else queryset


@admin.action(description="Retry selected jobs: due now, with all their attempts", permissions=["change"])
def retry(model_admin: JobAdmin, request: Any, queryset: Any) -> None:
    """Make jobs due now."""
    model_admin.act(request, queryset, current().jobs.retry, "to be retried")


@admin.action(description="Cancel selected jobs; a running one is asked to stop", permissions=["change"])
def cancel(model_admin: JobAdmin, request: Any, queryset: Any) -> None:
    """Call jobs off."""
    model_admin.act(request, queryset, current().jobs.cancel, "cancelled, or asked to stop")


@admin.action(description="Delete selected jobs", permissions=["delete"])
def delete_selected(model_admin: JobAdmin, request: Any, queryset: Any) -> Any:
    """Ask, and delete the jobs that do not run."""
    running = queryset.filter(current_state=State.RUNNING.value)
    if running.exists():
        names = ", ".join(str(job) for job in running[:SHOWN])
        model_admin.message_user(request, f"A running job cannot be deleted: {names}", messages.WARNING)
        queryset = queryset.exclude(current_state=State.RUNNING.value)
    return djangos_delete_selected(model_admin, request, queryset)


class JobAdmin(admin.ModelAdmin):
    """Pages of jobs. To see them takes the right to view or change, to retry and cancel the right to change."""

    states: Iterable[State] = (State.QUEUED, State.RUNNING, State.BLOCKED, State.FAILED)
    list_display: Any = ("name", "state_now", "queue", "priority", "run_at", "attempts", "error")
    list_filter: Any = (StateFilter, QueueFilter)
    search_fields: Any = ("name",)
    search_help_text = "an id, or a part of the name, of the handler or of the last error"
    actions: Any = (retry, cancel, delete_selected)
    show_full_result_count = False
    fields: Any = (
        *("id", "name", "state_now", "queue", "priority", "run_at", "created_at", "failed_at", "tags"),
        *("attempts", "max_attempts", "crashes", "progress", "whole_error", "whole_handler"),
    )

    def get_queryset(self, request: Any) -> Any:
        """Return the jobs, each with its state."""
        return self.model.objects.with_state().order_by(*(self.get_ordering(request) or self.model._meta.ordering))

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002  # Django's signature
        """Find jobs by id, or by what they contain."""
        term = search_term.strip()
        try:
            return queryset.filter(pk=UUID(term)), False
        except ValueError:
            parts = ("name", "handler", "last_error")
            found = [Q(**{f"{part}__icontains": term}) for part in parts]
            return (queryset.filter(found[0] | found[1] | found[2]) if term else queryset), False

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:  # noqa: ARG002  # Django's signature
        """Return all of them."""
        return self.fields

    def has_add_permission(self, request: Any) -> bool:  # noqa: ARG002  # jobs are made by code
        """Say that nobody adds jobs here."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Say who may retry and cancel; no job is edited."""
        return obj is None and _has_tables() and super().has_change_permission(request)

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:  # noqa: ARG002  # all jobs are alike
        """Say who may look, where jobs are in a database of Django's."""
        return _has_tables() and super().has_view_permission(request)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Say who may delete; a running job stays."""
        is_running = obj is not None and obj.current_state == State.RUNNING.value
        return not is_running and _has_tables() and super().has_delete_permission(request)

    def delete_model(self, request: Any, obj: Any) -> None:  # noqa: ARG002  # Django's signature
        """Delete a job. Raises PermissionDenied for one that has begun to run meanwhile."""
        try:
            current().jobs.delete(obj.pk)
        except InvalidState as error:
            raise PermissionDenied(str(error)) from error

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        """Delete jobs; those that have begun to run meanwhile are told."""
        self.act(request, queryset, current().jobs.delete, "deleted")

    def act(self, request: Any, queryset: Any, do: Callable[[UUID], object], done: str) -> None:
        """Do something to each job, and say what became of that."""
        refusals = []
        for job_id in (ids := list(queryset.values_list("pk", flat=True))):
            try:
                do(job_id)
            except (InvalidState, JobNotFound) as error:
                refusals.append(str(error))
        if len(ids) > len(refusals):
            self.message_user(request, f"Jobs {done}: {len(ids) - len(refusals)}", messages.SUCCESS)
        for refusal in refusals[:SHOWN]:
            self.message_user(request, refusal, messages.WARNING)
        if len(refusals) > SHOWN:
            self.message_user(request, f"… and {len(refusals) - SHOWN} more", messages.WARNING)

    @admin.display(description="state", ordering="current_state")
    def state_now(self, job: Any) -> str:
        """Return what the job is just now."""
        return str(job.current_state)

    @admin.display(description="last error")
    def error(self, job: Any) -> str:
        """Return the first line of the last error."""
        return (job.last_error or "").partition("\n")[0][:200]

    @admin.display(description="last error")
    def whole_error(self, job: Any) -> str:
        """Return the last error as it is."""
        return _preformatted(job.last_error) if job.last_error else "-"

    @admin.display(description="handler")
    def whole_handler(self, job: Any) -> str:
        """Return the handler, set for reading."""
        try:
            return _preformatted(json.dumps(json.loads(job.handler), indent=2, ensure_ascii=False))
        except ValueError:
            return _preformatted(job.handler)


class FinishedJobAdmin(JobAdmin):
    """Pages of jobs that succeeded or were cancelled."""

    states = (State.SUCCEEDED, State.CANCELLED)
    list_display = ("name", "state_now", "queue", "finished_at", "attempts", "error")
    actions = (retry, delete_selected)
    fields = (
        *("id", "name", "state_now", "queue", "priority", "run_at", "created_at", "finished_at", "locked_by", "tags"),
        *("attempts", "max_attempts", "crashes", "progress", "result", "whole_error", "whole_handler"),
    )


admin.site.register(Job, JobAdmin)
admin.site.register(FinishedJob, FinishedJobAdmin)


def _has_tables() -> bool:
    return chosen().alias is not None


def _preformatted(text: str) -> str:
    shown: str = format_html('<pre style="white-space: pre-wrap; margin: 0">{}</pre>', text)
    return shown
