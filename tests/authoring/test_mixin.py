"""The mixin gets along with the ways in which people make classes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from backburner import Backburner, Delayable, Job
from backburner.app import use

T = TypeVar("T")


class Meta(type):
    """A metaclass that looks at every attribute of the classes it makes, as those of model classes do."""

    seen: ClassVar[dict[str, list[str]]] = {}

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        cls = super().__new__(mcls, name, bases, namespace)
        mcls.seen[name] = [attribute for attribute in dir(cls) if not attribute.startswith("__")]
        return cls

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class Base(metaclass=Meta):
    pass


class Modelled(Delayable, Base):
    def run(self) -> str:
        return "modelled"


@dataclass
class Data(Delayable):
    x: int = 1

    def run(self) -> str:
        return f"data {self.x}"


@dataclass(frozen=True, slots=True)
class Frozen(Delayable):
    x: int = 1

    def run(self) -> str:
        return f"frozen {self.x}"


@attrs.define
class Attrs(Delayable):
    x: int = 1

    def run(self) -> str:
        return f"attrs {self.x}"


class Pydantic(Delayable, pydantic.BaseModel):
    x: int = 1

    def run(self) -> str:
        return f"pydantic {self.x}"


class Struct(msgspec.Struct):
    x: int = 1

    def run(self) -> str:
        return f"struct {self.x}"


class Slotted(Delayable):
    __slots__ = ("x",)

    def __init__(self, x: int = 1) -> None:
        self.x = x

    def run(self) -> str:
        return f"slotted {self.x}"


class Box(Delayable, Generic[T]):
    def run(self) -> str:
        return "generic"


class Late(Base, Delayable):
    def run(self) -> str:
        return "late"


@pytest.fixture
def app():
    with Backburner("memory://") as app, use(app):
        yield app


@pytest.mark.parametrize("cls", [Modelled, Data, Frozen, Attrs, Pydantic, Slotted, Box, Late])
def test_instances_and_classes_have_delay(app, cls):
    job = cls().delay(priority=3).run()
    assert isinstance(job, Job)
    assert job.name == f"{cls.__name__}.run"
    assert job.payload.perform() == cls().run()
    assert repr(cls.delay).startswith("<jobs of <class")


def test_a_msgspec_struct_is_delayed_by_the_function():
    with Backburner("memory://", allow=[__name__]) as app:
        assert app.delay(Struct(2)).run().payload.perform() == "struct 2"


def test_the_mixin_adds_no_fields_and_no_instance_dictionary():
    assert [field.name for field in fields(Data)] == ["x"]
    assert list(Pydantic.model_fields) == ["x"]
    assert [attribute.name for attribute in attrs.fields(Attrs)] == ["x"]
    assert not hasattr(Frozen(), "__dict__")
    assert not hasattr(Slotted(), "__dict__")


def test_a_class_may_have_a_delay_of_its_own(app):
    class Train(Delayable):
        delay = 5

    assert Train().delay == 5


def test_an_enum_may_be_delayable(app):
    class Colour(Delayable, Enum):
        RED = 1

    assert "delay" not in Colour.__members__
