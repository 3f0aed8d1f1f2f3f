"""SQLAlchemy 2 over psycopg and asyncpg on marked columns, and on a plaintext twin: the same results, and the same reflection."""

import asyncio
import datetime
import decimal
import uuid

import pytest
import sqlalchemy
from cloister_testlib import clinic as tables
from sqlalchemy import LargeBinary, MetaData, Numeric, String, Table, create_engine, delete, func, insert, inspect, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Patient(Base):
    __tablename__ = "patients_sqlalchemy"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ssn: Mapped[str | None] = mapped_column(unique=True, type_=sqlalchemy.Text)
    name: Mapped[str | None] = mapped_column(sqlalchemy.Text, index=True)
    born: Mapped[datetime.date | None]
    balance: Mapped[decimal.Decimal | None] = mapped_column(Numeric)
    visits: Mapped[int | None]
    seen: Mapped[datetime.datetime | None] = mapped_column(sqlalchemy.DateTime(timezone=True))
    active: Mapped[bool | None]
    token: Mapped[uuid.UUID | None]
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)
    big: Mapped[int | None] = mapped_column(sqlalchemy.BigInteger)
    score: Mapped[float | None] = mapped_column(sqlalchemy.Double)
    code: Mapped[str | None] = mapped_column(String(10))
    city: Mapped[str | None] = mapped_column(sqlalchemy.Text)

    def __repr__(self):
        return f"<{self.id} {self.ssn} {self.name} {self.visits}>"


NAMES = tables.COLUMNS.split(", ")
QUERIES = [
    select(Patient).order_by(Patient.id),
    select(Patient.id).where(Patient.name == "Ada"),
    select(Patient.id).where(Patient.name.in_(["Ada", "ada", "none"])).order_by(Patient.name),
    select(Patient.id).where(Patient.ssn.in_(["111-11", "444-44"])).order_by(Patient.id),
    select(Patient.id).where(Patient.ssn.not_in(["111-11"])).order_by(Patient.id),
    select(Patient.id).where(Patient.born.between(datetime.date(1850, 1, 1), datetime.date(1960, 1, 1))).order_by(Patient.born),
    select(Patient.id).where(Patient.name.like("A%")),
    select(Patient.id).where(Patient.name.ilike("%AD%")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.startswith("A")),
    select(Patient.id).where(Patient.name.startswith("_d")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.startswith("_d", autoescape=True)),
    select(Patient.id).where(Patient.name.istartswith("a")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.endswith("da")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.iendswith("DA", autoescape=True)).order_by(Patient.id),
    select(Patient.id).where(Patient.name.contains("'L' \\\\")),
    select(Patient.id).where(Patient.name.contains("b")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.contains("/_%", autoescape=True)),
    select(Patient.id).where(Patient.name.icontains("B")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.icontains("/_%", autoescape=True)),
    select(Patient.id).where(~Patient.name.icontains("d")).order_by(Patient.id),
    select(Patient.id).where(Patient.code.startswith("a")),
    select(Patient.id).where(Patient.name.like("A!%", escape="!")),
    select(Patient.id, Patient.balance).order_by(Patient.balance.desc().nulls_last(), Patient.id).limit(3),
    select(Patient.id).where(or_(Patient.visits < 0, Patient.token == uuid.UUID(int=4))).order_by(Patient.id),
    select(Patient.id).where(Patient.active.is_not(None), Patient.active == True).order_by(Patient.id),  # noqa: E712
    select(func.count(), func.min(Patient.born), func.max(Patient.visits)).select_from(Patient),
    select(Patient.visits, func.count()).group_by(Patient.visits).having(func.count() > 1),
    select(Patient.id).where(Patient.name == select(func.max(Patient.name)).scalar_subquery()),
    select(func.coalesce(Patient.name, "nobody")).order_by(Patient.id),
    select(Patient.id).where(Patient.name.is_(None)),
    select(Patient.id).where(Patient.seen >= datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)).order_by(Patient.seen),
]


def work(connection):
    """What a synchronous Connection sees; `asyncio` runs the same through run_sync."""
    seen = []
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        session.add_all([Patient(**dict(zip(NAMES, row))) for row in tables.ROWS[:3]])
        session.commit()
        session.execute(insert(Patient), [dict(zip(NAMES, row)) for row in tables.ROWS[3:]])
        session.commit()
        for query in QUERIES:
            seen.append(repr(session.execute(query).all()))
        ada = session.scalars(select(Patient).where(Patient.ssn == "111-11")).one()
        ada.visits, ada.photo = 50, b"new"
        session.commit()
        session.expire_all()
        seen.append((ada.visits, ada.photo, ada.token, session.get(Patient, 2).name))
        seen.append(session.execute(update(Patient).where(Patient.visits > 40).values(balance=decimal.Decimal("1.25")).returning(Patient.id, Patient.balance)).all())
        again = upsert(Patient).values(id=60, ssn="222-22", name="Again")
        seen.append(session.execute(again.on_conflict_do_update(index_elements=["ssn"], set_={"name": again.excluded.name}).returning(Patient.id, Patient.name)).all())
        session.commit()
        with pytest.raises(IntegrityError) as duplicate:
            session.add(Patient(id=70, ssn="111-11"))
            session.commit()
        seen.append(duplicate.value.orig.sqlstate)
        session.rollback()
        seen.append(session.execute(delete(Patient).where(Patient.name == "ada")).rowcount)
        seen.append(repr(session.scalars(select(Patient).order_by(Patient.id)).all()))
        session.rollback()
    return seen


def reflect(connection):
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
    inspector = inspect(connection)
    name = Patient.__tablename__
    table = Table(name, MetaData(), autoload_with=connection)
    return [
        [(c["name"], repr(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)],
        [(c["name"], repr(c["type"])) for c in inspector.get_columns(name, schema=schema)],
        inspector.get_pk_constraint(name), inspector.get_unique_constraints(name), inspector.get_indexes(name),
        repr(table.c.keys()), [repr(c.type) for c in table.c], sorted(n for n in inspector.get_table_names() if "alchemy" in n),
    ]  # fmt: skip


def everything(connection):
    Base.metadata.drop_all(connection)
    Base.metadata.create_all(connection)
    seen = work(connection)
    return seen + reflect(connection)


def url(clinic, driver, direct):
    values = clinic.environment
    return sqlalchemy.URL.create(
        f"postgresql+{driver}", values["PGUSER"], values["PGPASSWORD"], values["PGHOST"],
        clinic.direct_port if direct else clinic.proxy_port, values["PGDATABASE"])  # fmt: skip


def compare(ours, theirs):
    found = tables.difference(ours, theirs)
    assert not found, found


def test_psycopg(clinic):
    def outcome(direct):
        engine = create_engine(url(clinic, "psycopg", direct), connect_args={"options": "-c search_path=plain"} if direct else {})
        try:
            with engine.connect() as connection:
                return everything(connection)
        finally:
            engine.dispose()

    compare(outcome(False), outcome(True))
    engine = create_engine(url(clinic, "psycopg", False))
    with engine.connect() as connection, pytest.raises(DBAPIError, match="CL6") as refused:
        connection.execute(select(func.upper(Patient.name)))
    assert refused.value.orig.sqlstate == "0A000"
    engine.dispose()


def test_asyncpg(clinic):
    async def outcome(direct):
        settings = {"server_settings": {"search_path": "plain"}} if direct else {}
        engine = create_async_engine(url(clinic, "asyncpg", direct), connect_args=settings)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(everything)
        finally:
            await engine.dispose()

    compare(asyncio.run(outcome(False)), asyncio.run(outcome(True)))
