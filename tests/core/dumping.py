"""Every byte that a thief of the database would have."""

import io
from pathlib import Path

import sqlalchemy as sa


def bytes_of(engine: sa.Engine) -> bytes:
    """SQLite: the file and its logs; PostgreSQL: every row of every table, bytes as they are."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        files = [path, Path(f"{path}-wal"), Path(f"{path}-shm")]
        return b"".join(file.read_bytes() for file in files if file.exists())
    out = io.BytesIO()
    raw = engine.raw_connection()
    try:
        with raw.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as copy:
                    for part in copy:
                        out.write(bytes(part))
    finally:
        raw.close()
    return out.getvalue()


def files_of(engine: sa.Engine) -> bytes:
    """As `bytes_of`, and on PostgreSQL the pages too, with rows that nobody sees any more."""
    if engine.dialect.name == "sqlite":
        return bytes_of(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        pages = connection.exec_driver_sql(
            "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class"
            " WHERE relkind IN ('r', 't', 'i') AND relfilenode <> 0"
        )
        return b"".join(bytes(page) for (page,) in pages)
