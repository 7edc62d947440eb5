"""The protocol of job objects: names that are looked up on the class, `queue`, `priority`, `before`, `error` and so on.

A declared field of such a name (of a dataclass, attrs class, msgspec.Struct, pydantic model, named tuple, or a slot) is
data and never part of the protocol.
"""

from __future__ import annotations

from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from backburner.core.fields import declared_fields
from backburner.core.members import MISSING, bind, find_member, is_method, owner_of


def look_up(holder: Any, name: str) -> Any:
    """Return what the class of an object, or the class itself, has for a protocol name; MISSING when it has nothing."""
    owner = owner_of(holder)
    member = find_member(owner, name)
    if member is MISSING or not isinstance(owner, type):
        return MISSING
    if isinstance(member, (MemberDescriptorType, GetSetDescriptorType)) or name in declared_fields(owner):
        return MISSING
    if isinstance(holder, type) and isinstance(member, (FunctionType, property)):
        return MISSING  # it needs an instance
    return member


def value_of(holder: Any, name: str) -> Any:
    """Return the value of an attribute, or of a method without arguments; None when there is nothing."""
    member = look_up(holder, name)
    if member is MISSING:
        return None
    bound = bind(member, holder)
    return bound() if is_method(member) else bound
