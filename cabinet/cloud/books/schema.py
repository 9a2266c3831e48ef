"""The books' tables as numbered migrations, written once for SQLite and PostgreSQL.

A released migration is never edited; a change is a new one at the end.  `{serial}`, `{int}` and `{strict}` differ
between the two, and so does `{text KEY}`, a value of an event's body; triggers have a function of their own.
"""

import re
from functools import cache
from typing import Final, Literal

from cabinet.cloud.books.first import FIRST
from cabinet.cloud.books.ingest import INGEST
from cabinet.cloud.books.money import MONEY
from cabinet.cloud.books.people import PEOPLE
from cabinet.cloud.books.roster import ROSTER

Dialect = Literal["sqlite", "postgresql"]

WORDS: Final[dict[Dialect, dict[str, str]]] = {
    "sqlite": {"serial": "INTEGER PRIMARY KEY", "int": "INTEGER", "strict": " STRICT"},
    "postgresql": {"serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "int": "BIGINT", "strict": ""},
}

BODY_TEXT: Final[dict[Dialect, str]] = {
    "sqlite": r"json_extract(body, '$.\1')",
    "postgresql": r"(body::json ->> '\1')",
}

MIGRATIONS: Final = (FIRST, INGEST, MONEY, ROSTER, PEOPLE)


@cache
def migrations(dialect: Dialect) -> tuple[str, ...]:
    """`migrations(d)[n]` leads from version n to n + 1."""
    return tuple(_rendered(step, dialect) for step in MIGRATIONS)


def _rendered(step: str, dialect: Dialect) -> str:
    lines = []
    for line in step.splitlines():
        if line.startswith("-- refuse "):
            lines.append(_refusal(line, dialect))
        else:
            for word, said in WORDS[dialect].items():
                line = line.replace("{" + word + "}", said)  # noqa: PLW2901  # str.format trips over JSON defaults
            lines.append(re.sub(r"\{text (\w+)\}", BODY_TEXT[dialect], line))
    return "\n".join(lines)


def _refusal(line: str, dialect: Dialect) -> str:
    """A trigger from `-- refuse NAME: UPDATE [OF a, b] ON table: why`."""
    name, what, why = (part.strip() for part in line.removeprefix("-- refuse ").split(":"))
    if dialect == "sqlite":
        return f"CREATE TRIGGER {name} BEFORE {what}\n    BEGIN SELECT RAISE(ABORT, '{why}'); END;"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{why}'; END $$;\n"
        f"CREATE TRIGGER {name} BEFORE {what} FOR EACH ROW EXECUTE FUNCTION {name}();"
    )
