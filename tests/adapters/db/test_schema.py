"""Migrations on both databases: from nothing, from every earlier schema, failing."""

import shutil
import threading
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.domain.errors import DatabaseNotReady


def all_revisions() -> list[str]:
    """Return every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", schema.SCRIPTS)
    walk = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in walk][::-1]


def differences(engine: Engine) -> list[object]:
    """Return what Alembic would still change to make the tables those of the code."""
    options = {
        "version_table": schema.VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
    }
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, schema.all_tables()))


def table_names(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(inspect(connection).get_table_names())


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a copy of the migrations to which a test adds some."""
    copy = tmp_path / "100% migrations"
    with as_file(files("kqi_hub.db") / "migrations") as original:
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_migration(scripts: Path, name: str, down: str, body: str) -> None:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (scripts / "versions" / f"{name}.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = {name!r}\ndown_revision = {down!r}\n"
        f"def upgrade():\n{lines}\n"
    )


def test_the_revisions_form_one_line_numbered_from_0001() -> None:
    revisions = all_revisions()
    assert revisions == [f"{n:04d}" for n in range(1, len(revisions) + 1)]
    assert schema.head_revision() == revisions[-1]


def test_an_empty_database_becomes_the_one_of_the_code(engine: Engine) -> None:
    assert schema.upgrade(engine) == (None, schema.head_revision())
    assert schema.check(engine) == schema.head_revision()
    assert differences(engine) == []


@pytest.mark.parametrize("revision", all_revisions())
def test_every_schema_there_ever_was_becomes_the_one_of_the_code(
    engine: Engine, revision: str
) -> None:
    assert schema.upgrade(engine, revision) == (None, revision)
    assert schema.upgrade(engine) == (revision, schema.head_revision())
    assert differences(engine) == []


def test_the_comparison_notices_a_difference(engine: Engine) -> None:
    schema.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE jobs ADD COLUMN stray INTEGER"))
        connection.execute(text("DROP INDEX ix_jobs_cluster_over_since"))
    assert len(differences(engine)) == 2


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    head = schema.head_revision()
    assert schema.upgrade(engine) == (head, head)


def test_two_upgrades_at_once_make_one_schema(database_url: str) -> None:
    results: list[tuple[str | None, str]] = []

    def upgrade() -> None:
        engine = make_engine(database_url, create=True)
        results.append(schema.upgrade(engine))
        engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    head = schema.head_revision()
    assert sorted(results, key=str) == [(head, head)] * 3 + [(None, head)]


def test_an_empty_database_is_not_ready(engine: Engine) -> None:
    with pytest.raises(DatabaseNotReady, match="kqi-hub db upgrade"):
        schema.check(engine)


def test_an_older_database_is_not_ready(engine: Engine, scripts: Path) -> None:
    schema.upgrade(engine)
    add_migration(scripts, "next", schema.head_revision(), "pass")
    with pytest.raises(DatabaseNotReady, match="this version needs next"):
        schema.check(engine, str(scripts))


@pytest.mark.parametrize("action", [schema.check, schema.upgrade])
def test_a_newer_database_is_refused_and_left_alone(
    engine: Engine, scripts: Path, action: object
) -> None:
    add_migration(scripts, "future", schema.head_revision(), "pass")
    schema.upgrade(engine, scripts=str(scripts))
    with pytest.raises(DatabaseNotReady, match="newer than this version"):
        action(engine)  # type: ignore[operator]  # one of two functions of one shape
    assert schema.check(engine, str(scripts)) == "future"


def test_a_database_of_another_program_is_refused_and_left_alone(
    engine: Engine,
) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("CREATE TABLE spawners (id INTEGER)"))
    with pytest.raises(DatabaseNotReady, match="alembic_version, spawners"):
        schema.upgrade(engine)
    assert table_names(engine) == {"alembic_version", "spawners"}


def test_a_failing_migration_leaves_the_database_as_it_was(
    engine: Engine, scripts: Path
) -> None:
    head = schema.head_revision()
    schema.upgrade(engine)
    before = table_names(engine)
    add_migration(scripts, "good", head, "op.execute('CREATE TABLE extra (a TEXT)')")
    add_migration(
        scripts, "bad", "good", "op.drop_table('jobs')\nop.execute('SELECT a FROM no')"
    )
    with pytest.raises(DatabaseNotReady):
        schema.upgrade(engine, scripts=str(scripts))
    assert table_names(engine) == before
    assert schema.check(engine) == head


def test_changing_a_table_keeps_the_rows_that_refer_to_it(
    engine: Engine, scripts: Path
) -> None:
    add_migration(
        scripts,
        "first",
        schema.head_revision(),
        "op.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY, a TEXT)')\n"
        "op.execute('CREATE TABLE child (p INTEGER NOT NULL"
        " REFERENCES parent (id) ON DELETE CASCADE)')\n"
        "op.execute('INSERT INTO parent VALUES (1, NULL)')\n"
        "op.execute('INSERT INTO child VALUES (1)')",
    )
    add_migration(
        scripts,
        "second",
        "first",
        "with op.batch_alter_table('parent') as batch:\n    batch.drop_column('a')",
    )
    schema.upgrade(engine, "first", str(scripts))
    schema.upgrade(engine, "second", str(scripts))
    with writing(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM child")) == 1
        # Foreign keys bind again for everybody else.
        connection.execute(text("DELETE FROM parent"))
        assert connection.scalar(text("SELECT count(*) FROM child")) == 0


def test_a_migration_that_breaks_references_is_refused(
    sqlite_url: str, scripts: Path
) -> None:
    engine = make_engine(sqlite_url, create=True)
    add_migration(
        scripts,
        "broken",
        schema.head_revision(),
        "op.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY)')\n"
        "op.execute('CREATE TABLE child (p INTEGER REFERENCES parent (id))')\n"
        "op.execute('INSERT INTO child VALUES (7)')",
    )
    with pytest.raises(DatabaseNotReady, match="first in table child"):
        schema.upgrade(engine, scripts=str(scripts))
    assert table_names(engine) == set()
    engine.dispose()


def test_a_new_migration_is_written_from_the_tables(
    engine: Engine, scripts: Path
) -> None:
    schema.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE partitions"))
    path = schema.write_migration(engine, "Keep the queues", str(scripts))
    number = int(schema.head_revision()) + 1
    assert path.name == f"{number:04d}_keep_the_queues.py"
    assert 'down_revision = "' + schema.head_revision() in path.read_text().replace(
        "'", '"'
    )
    schema.upgrade(engine, scripts=str(scripts))
    assert differences(engine) == []
