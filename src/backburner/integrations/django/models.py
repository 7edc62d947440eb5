"""Jobs as models, for the admin and for queries. They are not Django's to change: `app.jobs` does that."""

from __future__ import annotations

from typing import Any

from django.db import connections, models
from django.db.models import Case, F, Value, When
from django.db.models.expressions import RawSQL

from backburner.core.lifecycle import State
from backburner.integrations.django.fields import JobIdField, MomentField
from backburner.integrations.django.setting import chosen

HAS_LEASE = "EXISTS (SELECT 1 FROM backburner_running WHERE job_id = backburner_jobs.id)"


class Unlisted(models.Manager):
    """What programs find that go through all models, such as `dumpdata`: nothing, as a job is no fixture."""

    def get_queryset(self) -> Any:
        """Return no rows."""
        return super().get_queryset().none()


class JobManager(models.Manager):
    """Reads jobs from the database that they are in."""

    def get_queryset(self) -> Any:
        """Return all rows."""
        alias = chosen().alias
        rows = super().get_queryset()
        return rows if alias is None else rows.using(alias)

    def with_state(self) -> Any:
        """Return all rows, each with what the job is just now as `current_state`.

        In MySQL a running job is one that has a row in another table, and `state` is what it will be afterwards.
        """
        rows = self.get_queryset()
        state: Any = F("state")
        if self.model is Job and connections[rows.db].vendor == "mysql":
            has_lease = RawSQL(HAS_LEASE, (), models.BooleanField())  # noqa: S611  # a text of this file, without values
            is_running = When(has_lease, then=Value(State.RUNNING.value))
            state = Case(is_running, default=F("state"), output_field=models.TextField())
        return rows.annotate(current_state=state)


class JobRow(models.Model):
    """The columns that both tables have in every database."""

    id = JobIdField(primary_key=True)
    name = models.TextField()
    queue = models.TextField()
    priority = models.IntegerField(help_text="Lower numbers run first.")
    run_at = MomentField()
    state = models.TextField()
    attempts = models.IntegerField()
    max_attempts = models.IntegerField()
    crashes = models.IntegerField(help_text="How many workers were lost while they performed it.")
    created_at = MomentField()
    tags = models.TextField(null=True)  # so it is in the table
    progress = models.TextField(null=True)
    last_error = models.TextField(null=True)
    handler = models.TextField()

    unlisted = Unlisted()  # the first one is the default
    objects = JobManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Job(JobRow):
    """A job that is queued, running, blocked or failed."""

    failed_at = MomentField(null=True)

    class Meta:
        managed = False
        db_table = "backburner_jobs"
        ordering = ("-id",)
        verbose_name = "job"


class FinishedJob(JobRow):
    """A job that succeeded or was cancelled."""

    finished_at = MomentField()
    locked_by = models.TextField(null=True)
    result = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "backburner_finished"
        ordering = ("-id",)
        verbose_name = "finished job"
