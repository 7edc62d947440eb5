"""`backburner alembic`: write a revision that makes the tables."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from backburner.cli import exits, output, revisions
from backburner.cli.apps import opened_app
from backburner.cli.command import Command
from backburner.cli.parsing import UsageError
from backburner.core.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MESSAGE = "tables"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    parser.add_argument("--config", default="alembic.ini", metavar="FILE", help="Alembic's own (default: alembic.ini)")
    parser.add_argument("--head", default="head", help="the revision that it comes after (default: the last one)")
    parser.add_argument("--print", action="store_true", help="print what is to be in it, and write nothing")


def run(options: Namespace) -> int:
    """Write the revision, unless there is one."""
    with opened_app(options) as app:
        steps = app.store.migration_steps()
    if not steps:
        raise ConfigurationError(f"expected a store that has tables, got {app.store.url}")
    if options.print:
        output.say(revisions.program(revisions.Revision.of(steps)))
        return exits.DONE
    directory = _directory(options.config)
    revision = revisions.Revision.of(steps, _version_in(directory))
    if not revision.statements:
        output.say("nothing is missing: the tables are made by revisions that are there")
        return exits.NO
    return _write(directory, revision, options.head)


def _directory(config: str) -> ScriptDirectory:
    try:
        from alembic.config import Config
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError
    except ImportError as error:
        raise ConfigurationError("expected Alembic to be installed: pip install alembic") from error
    if not Path(config).is_file():
        raise UsageError(f"expected --config to name the file alembic.ini, got {config}: there is none; or use --print")
    try:
        return ScriptDirectory.from_config(Config(config, cmd_opts=Namespace(quiet=True)))
    except CommandError as error:
        raise ConfigurationError(f"Alembic: {error}") from error


def _version_in(directory: ScriptDirectory) -> int:
    """Return the version of the tables that the revisions bring about which are there."""
    texts = (Path(revision.path).read_text(encoding="utf-8") for revision in directory.walk_revisions())
    return max(map(revisions.version_in, texts), default=0)


def _write(directory: ScriptDirectory, revision: revisions.Revision, head: str) -> int:
    from alembic.util import CommandError

    upgrades, downgrades = revisions.bodies(revision)
    try:
        written = directory.generate_revision(
            revision.name, MESSAGE, head=head, upgrades=upgrades, downgrades=downgrades, imports=""
        )
    except CommandError as error:
        raise ConfigurationError(f"Alembic: {error}; say with --head which revision it comes after") from error
    if written is None:
        raise ConfigurationError("expected Alembic to write a revision, it wrote none")
    output.say(f"wrote {written.path}: run `alembic upgrade head`")
    return exits.DONE


COMMAND = Command(
    about="""\
Write a revision for Alembic that makes the tables that jobs are kept in, with the same SQL as `backburner migrate`, so
that they come with the application's own tables. When a later version of backburner needs other tables, it writes what
is missing then.""",
    examples=(
        ("backburner alembic --url postgresql://localhost/shop", ""),
        ("backburner alembic --print", "to put it into a revision by hand"),
    ),
    exit_codes={
        exits.DONE: "the revision is written",
        exits.NO: "there is nothing to write: revisions make the tables already",
    },
    add_arguments=add_arguments,
    run=run,
)
