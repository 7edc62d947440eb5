"""What handlers say of mapped records."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, defer

from backburner.core.records import LateKey
from backburner.integrations.sqlalchemy.records import attributes_of, is_mapped, key_of
from tests.integrations.sqlalchemy.grounds import Ground
from tests.integrations.sqlalchemy.models import Base, Employee, Manager, Person, Seat, Tag, User


@pytest.fixture
def session(shop: Ground) -> Iterator[Session]:
    with shop.sessions() as session:
        user = User(name="Ann", nickname="hidden", password="hidden", word="hidden")
        session.add_all([user, Seat(row="A", number=7), Employee(desk="1")])
        session.commit()
        yield session


def test_what_a_record_is() -> None:
    class Derived(User):
        __abstract__ = True

    assert all(map(is_mapped, [User, Seat, Person, Employee, Manager, Tag]))
    assert not any(map(is_mapped, [Base, Derived, dict, type, Session]))


def test_keys(session: Session) -> None:
    user = session.query(User).one()
    assert (key_of(user), key_of(session.query(Seat).one())) == (1, ("A", 7))
    session.expire(user)
    assert key_of(user) == 1
    session.expunge(user)
    assert key_of(user) == 1
    new = User(name="Ben")
    assert key_of(new) is None
    session.add(new)
    assert isinstance(key_of(new), LateKey)
    session.flush()
    assert key_of(new) == 2


def test_only_what_is_loaded_is_shown_and_no_secrets(session: Session, shop: Ground) -> None:
    user = session.query(User).options(defer(User.is_active)).one()
    assert attributes_of(user) == {"id": 1, "name": "Ann", "nickname": "hidden"}  # which the model keeps secret
    with shop.statements() as statements:
        job = user.delay.activate("code")
    assert not statements
    assert json.loads(job.handler)["call"]["on"] == {
        "$record": "tests.integrations.sqlalchemy.models:User",
        "key": 1,
        "attributes": {"id": 1, "name": "Ann"},
    }
    session.expire(user)
    with shop.statements() as statements:
        assert attributes_of(user) == {}
    assert not statements


def test_a_record_is_named_by_its_own_class(session: Session) -> None:
    person = session.query(Person).one()
    assert '"$record":"tests.integrations.sqlalchemy.models:Employee","key":1' in person.delay.work().handler
