"""Tasks of Django's."""

from __future__ import annotations

from typing import Any

from shop.models import Customer

from backburner import Fail, Snooze, current_job

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task

DONE: list[Any] = []


@task
def add(first: Any, second: Any = 0) -> Any:
    DONE.append((first, second))
    return first + second


@task
async def add_async(first: int, second: int) -> int:
    return first + second


@task
def greet(name: str) -> str:
    customer = Customer.objects.create(name=name)
    return customer.name


@task
def fail(message: str) -> None:
    raise ValueError(message)


@task
def leave() -> None:
    raise SystemExit("I am leaving")


@task
def give_up() -> None:
    raise Fail("it is no use")


@task
def wait_once() -> str:
    if not DONE:
        DONE.append("waited")
        raise Snooze(0)
    return "done"


@task
def return_what_is_not_json() -> object:
    return object()


@task(takes_context=True)
def look_at_context(context: Any, fails: int = 0) -> dict[str, Any]:
    result = context.task_result
    seen = {"attempt": context.attempt, "id": result.id, "status": result.status, "workers": len(result.worker_ids)}
    DONE.append(seen)
    if context.attempt <= fails:
        raise RuntimeError(f"attempt {context.attempt}")
    return seen


@task
def name_of_job() -> str:
    return current_job().name


def no_task() -> None:
    DONE.append("this is not to be called")


@task(takes_context=True)
def look_at_itself(context: Any) -> dict[str, Any]:
    """Say what others see of this task just now."""
    task_result = context.task_result
    seen = task_result.task.get_result(task_result.id)
    return {"status": seen.status, "same": seen.worker_ids == task_result.worker_ids, "attempts": seen.attempts}
