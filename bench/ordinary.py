"""The same two calls written the ordinary way: FastAPI with response models, SQLAlchemy's ORM, PostgreSQL.

What a team would write without thinking about speed, and nothing made slow on purpose: async engine with a pool,
models loaded by primary key, the session committed by the handler, a plain event row beside the state, the key looked
up in the database. It has less to do than the service: no Merkle log, no signals, no regimes, no receipts.
"""

import hashlib
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CATEGORIES = [
    "technical",
    "personalization",
    "advertising",
    "statistical",
    "social_media",
    "strictly_necessary",
    "analytical_performance",
    "functionality",
]


class Base(DeclarativeBase):
    """The models' base."""


class Visitor(Base):
    """One visitor with one column for each category."""

    __tablename__ = "ordinary_visitors"
    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    choices: Mapped[dict[str, bool]] = mapped_column(JSON)
    policy_version: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Event(Base):
    """One change."""

    __tablename__ = "ordinary_events"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36))
    visitor_id: Mapped[str] = mapped_column(ForeignKey("ordinary_visitors.id"), index=True)
    choices: Mapped[dict[str, bool]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApiKey(Base):
    """One key, by its hash."""

    __tablename__ = "ordinary_keys"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    site: Mapped[str] = mapped_column(String(64))


class IdempotencyKey(Base):
    """A write that was answered."""

    __tablename__ = "ordinary_idempotency_keys"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    visitor_id: Mapped[str] = mapped_column(String(22))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CategoryDecision(BaseModel):
    """One decision."""

    allow: bool
    reason: str


class Decisions(BaseModel):
    """All decisions about a visitor."""

    visitor_id: str
    policy_version: str
    categories: dict[str, CategoryDecision]


class Submission(BaseModel):
    """What a visitor said."""

    action: str
    policy_version: str
    choices: dict[str, bool] | None = None


class Stored(Decisions):
    """What was stored."""

    event_id: str


engine = create_async_engine(
    os.environ["ORDINARY_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=20
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the tables and the key."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        await session.merge(ApiKey(sha256=_hash(os.environ["ORDINARY_KEY"]), site="default"))
        await session.commit()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def database() -> AsyncIterator[AsyncSession]:
    """Give a session for one request."""
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(database)]


async def authorized(session: Session, authorization: Annotated[str, Header()]) -> ApiKey:
    """Find the key."""
    key = await session.get(ApiKey, _hash(authorization.removeprefix("Bearer ")))
    if key is None:
        raise HTTPException(401)
    return key


Key = Annotated[ApiKey, Depends(authorized)]


@app.get("/v1/visitors/{visitor_id}/decisions")
async def decide(visitor_id: str, session: Session, key: Key) -> Decisions:
    """Decide all eight categories."""
    return _decisions(visitor_id, await session.get(Visitor, visitor_id))


@app.put("/v1/visitors/{visitor_id}/consent")
async def record(
    visitor_id: str, body: Submission, session: Session, key: Key, idempotency_key: Annotated[str, Header()]
) -> Stored:
    """Store what a visitor said."""
    now = datetime.now(UTC)
    if await session.scalar(select(IdempotencyKey).where(IdempotencyKey.key == idempotency_key)):
        raise HTTPException(409)
    visitor = await session.get(Visitor, visitor_id, with_for_update=True)
    if visitor is None:
        visitor = Visitor(id=visitor_id)
        session.add(visitor)
    visitor.choices = body.choices or dict.fromkeys(CATEGORIES, body.action == "accept_all")
    visitor.policy_version = body.policy_version
    visitor.updated_at, visitor.expires_at = now, now + timedelta(days=180)
    event = Event(event_id=str(uuid.uuid4()), visitor_id=visitor_id, choices=visitor.choices, created_at=now)
    session.add_all([event, IdempotencyKey(key=idempotency_key, visitor_id=visitor_id, created_at=now)])
    await session.commit()
    return Stored(event_id=event.event_id, **_decisions(visitor_id, visitor).model_dump())


def _decisions(visitor_id: str, visitor: Visitor | None) -> Decisions:
    now = datetime.now(UTC)
    valid = visitor is not None and visitor.expires_at > now
    found = {}
    for category in CATEGORIES:
        granted = category == "strictly_necessary" or (valid and visitor is not None and visitor.choices.get(category))
        found[category] = CategoryDecision(allow=bool(granted), reason="granted" if granted else "refused")
    return Decisions(visitor_id=visitor_id, policy_version=visitor.policy_version if visitor else "", categories=found)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error")
