"""`backburner migrate`: make or upgrade the tables."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.core.ports import Store
from backburner.core.schema import SchemaState


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--sql", action="store_true", help="print the SQL for an empty database, and change nothing")
    either.add_argument("--check", action="store_true", help="say whether it is needed, and change nothing")
    add_json(parser)


def run(options: Namespace) -> int:
    """Migrate, or say what that would do."""
    with opened_app(options) as app:
        if options.sql:
            return _print_sql(app.store, options.json)
        return (_check if options.check else _migrate)(app.store, options.json)


def _print_sql(store: Store, as_json: bool) -> int:
    sql = store.migration_sql()
    if as_json:
        output.say_json({"sql": sql})
    else:
        output.say(sql.rstrip())
    return exits.DONE


def _check(store: Store, as_json: bool) -> int:
    state = store.schema_state()
    if as_json:
        output.say_json({"needed": not state.is_current, **_versions(state)})
    else:
        output.say(_sentence(state, store.url))
    return exits.DONE if state.is_current else exits.NO


def _migrate(store: Store, as_json: bool) -> int:
    applied = store.migrate()
    state = store.schema_state()
    if as_json:
        output.say_json({"applied": applied, **_versions(state)})
        return exits.DONE
    for name in applied:
        output.say(f"applied {name}")
    output.say(_sentence(state, store.url))
    return exits.DONE


def _sentence(state: SchemaState, url: str) -> str:
    if state.is_current:
        return f"the tables in {url} are up to date (version {state.found})"
    if state.works_with > state.needed:
        return (
            f"the tables in {url} are newer (version {state.found}) than this code ({state.needed}): upgrade backburner"
        )
    found = f"are of version {state.found}" if state.found else "are missing"
    return f"the tables in {url} {found}, version {state.needed} is needed: run `backburner migrate`"


def _versions(state: SchemaState) -> dict[str, int]:
    return {"version": state.found, "needed_version": state.needed}


COMMAND = Command(
    about="""\
Make or upgrade the tables that jobs are kept in. Run it at each deploy, before the code: it does nothing when there is
nothing to do, and two at once are harmless. SQLite makes its tables by itself at the first use.""",
    examples=(
        ("backburner migrate --url sqlite:///shop.db", ""),
        ("backburner migrate --check", "in a health check: exits 1 when it is needed"),
        ("backburner migrate --sql > jobs.sql", "to apply it by other means"),
    ),
    exit_codes={
        exits.DONE: "the tables are up to date",
        exits.NO: "--check: the tables are missing or of another version",
    },
    add_arguments=add_arguments,
    run=run,
)
