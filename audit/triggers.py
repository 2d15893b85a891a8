"""The database itself refuses to change or remove an entry, whoever asks.

A later migration that alters the table must make these again: SQLite does so by copying the table,
which leaves its triggers behind.
https://www.sqlite.org/lang_createtrigger.html
https://www.postgresql.org/docs/current/sql-createtrigger.html
"""

SENTENCE = "Audit entries are append-only: they cannot be changed or removed."


def _sqlite(name: str, event: str) -> str:
    return (
        f"CREATE TRIGGER audit_entry_{name} BEFORE {event}"
        f" BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    )


_MAKE = {
    "sqlite": (
        _sqlite("no_update", "UPDATE ON audit_entry"),
        _sqlite("no_delete", "DELETE ON audit_entry"),
        # INSERT OR REPLACE removes what is in its way without asking a DELETE trigger.
        _sqlite(
            "no_replace",
            "INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id"
            " OR hash = NEW.hash OR previous = NEW.previous)",
        ),
    ),
    # Class 23 makes it an IntegrityError, as it is on SQLite.
    "postgresql": (
        "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()",
    ),
}
_DROP = {
    "sqlite": tuple(
        f"DROP TRIGGER audit_entry_{name}" for name in ("no_update", "no_delete", "no_replace")
    ),
    "postgresql": (
        "DROP TRIGGER audit_entry_append_only ON audit_entry",
        "DROP FUNCTION audit_entry_refuse()",
    ),
}


def making(*, vendor: str) -> tuple[str, ...]:
    """Statements for SQLite or PostgreSQL, by Django's name of it; KeyError for another."""
    return _MAKE[vendor]


def dropping(*, vendor: str) -> tuple[str, ...]:
    return _DROP[vendor]
