"""From the words of a command line to a command and its options."""

from __future__ import annotations

from argparse import REMAINDER, SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from textwrap import fill
from typing import Any, NoReturn

from backburner.cli import output
from backburner.cli.again import is_command_of_another, spoken
from backburner.cli.catalogue import GROUPS, SUMMARIES, Words, load, next_words
from backburner.cli.command import Command
from backburner.cli.suggest import did_you_mean

PROGRAM = "backburner"

WHICH_APP = """\
which app:
  1. the one of --app, or one for --url
  2. the one that a named PACKAGE configures when it is imported
  3. one for BACKBURNER_URL, DATABASE_URL or sqlite:///backburner.db
  The current directory is on sys.path, as with `python -m`.
"""

WHICH_APP_OF_ANOTHER = """\
which app:
  the one of this project, unless --app or --url names another
"""

MORE = """\
exit codes:
  0      done; a worker was stopped gracefully
  1      the answer is no: something is too old, to be migrated or not there,
         or the doctor found something
  2      wrong use or set-up
  3      `status`: no worker runs in the background
  128+N  a worker was aborted, or another command interrupted, by signal N
"""

WIDEST = 100
"""Characters in a line of help, where the terminal has so many."""


class UsageError(Exception):
    """The command line is wrong."""


class HelpWanted(Exception):
    """No command was given: the help says which there are."""


class Parser(ArgumentParser):
    """Parses one stretch of the command line; its errors are exceptions."""

    def __init__(self, words: Words, description: str, epilog: str) -> None:
        self._options: list[str] = []
        super().__init__(
            prog=" ".join((spoken(), *words)),
            description=description,
            epilog=epilog,
            formatter_class=partial(RawDescriptionHelpFormatter, max_help_position=30, width=_width()),
            allow_abbrev=False,
            add_help=False,
        )

    def add_argument(self, *names: str, **more: Any) -> Any:
        """Add an argument as argparse does, and remember what it is called."""
        self._options += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **more)

    def add_common(self) -> None:
        """Add the options that stand on either side of a command."""
        self.add_argument(
            "--app", metavar="MODULE:ATTRIBUTE", default=SUPPRESS, help="the app; its package is imported and allowed"
        )
        self.add_argument("--url", default=SUPPRESS, help="the URL of the database, for an app with default settings")
        self.add_argument("-h", "--help", action="help", default=SUPPRESS, help="show this help and end")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def refuse(self, argument: str, hint: str = "") -> NoReturn:
        """Raise UsageError for an argument that has no place here."""
        if argument.startswith("-"):
            name = argument.partition("=")[0]
            self.error(f"unknown option {name}{did_you_mean(name, self._options) or hint}")
        self.error(f"unexpected argument {argument!r}")


def parse(argv: Sequence[str]) -> tuple[Command, Namespace]:
    """Return the command that a command line names, and its options. Raises UsageError, HelpWanted."""
    options = Namespace(app=None, url=None)
    words: Words = ()
    rest = list(argv)
    while words not in SUMMARIES:
        word, rest = _next_word(words, rest, options)
        words = (*words, word)
    command = load(words)
    options.argv, options.rest = tuple(argv), tuple(rest)  # for commands that run others
    parser = _command_parser(words, command)
    _, extras = parser.parse_known_args(rest, options)
    if extras:
        parser.refuse(extras[0])
    return command, options


def _next_word(words: Words, rest: list[str], options: Namespace) -> tuple[str, list[str]]:
    """Take the next word of the command's name, and options before it, off the command line."""
    parser = _group_parser(words)
    found, extras = parser.parse_known_args(rest)
    vars(options).update({name: value for name, value in vars(found).items() if name in ("app", "url")})
    if extras:
        parser.refuse(extras[0], hint=": options of a command come after the command")
    if found.word is None:
        raise HelpWanted(parser.format_help())
    known = next_words(words)
    if found.word not in known:
        parser.error(f"unknown command {found.word!r}{did_you_mean(found.word, known)}")
    return found.word, found.rest


def _group_parser(words: Words) -> Parser:
    names = {" ".join(name): summary for name, summary in SUMMARIES.items() if name[: len(words)] == words}
    width = max(map(len, names))
    commands = "\n".join(f"  {name:{width}}  {summary}" for name, summary in names.items())
    which_app = WHICH_APP_OF_ANOTHER if is_command_of_another() else WHICH_APP
    more = "" if words else f"{which_app}\n{MORE}"
    parser = Parser(words, f"{GROUPS[words]}\n\ncommands:\n{commands}", more)
    parser.usage = f"{parser.prog} [--app MODULE:ATTRIBUTE | --url URL] COMMAND …"
    parser.add_argument("word", nargs="?", metavar="COMMAND", help=SUPPRESS)
    parser.add_argument("rest", nargs=REMAINDER, metavar="…", help=SUPPRESS)
    parser.add_common()
    if not words:
        parser.add_argument("--version", action="version", version=_version(), help="show the version and end")
    return parser


def _command_parser(words: Words, command: Command) -> Parser:
    lines = [line.replace(PROGRAM, spoken(), 1) for line, _ in command.examples]
    width = max(map(len, lines))
    purposes = [purpose for _, purpose in command.examples]
    examples = "\n".join(f"  {line:{width}}  {purpose}".rstrip() for line, purpose in zip(lines, purposes, strict=True))
    codes = "\n".join(f"  {code:<4} {meaning}" for code, meaning in command.all_exit_codes)
    parser = Parser(words, _wrapped(command.about), f"examples:\n{examples}\n\nexit codes:\n{codes}")
    command.add_arguments(parser)
    parser.add_common()
    return parser


def _wrapped(text: str) -> str:
    """Fill each paragraph."""
    return "\n\n".join(fill(paragraph, _width()) for paragraph in text.split("\n\n"))


def _width() -> int:
    return min(output.width(), WIDEST)


def _version() -> str:
    from importlib.metadata import version

    return f"{PROGRAM} {version('backburner')}"
