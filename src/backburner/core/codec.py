"""The handler: a payload as JSON text, format 1.

    {"v":1,"call":{"function":"shop.jobs:send_welcome","args":[1],"kwargs":{"lang":"de"}}}
    {"v":1,"call":{"on":{"$record":"shop.models:User","key":7},"method":"activate"}}
    {"v":1,"object":{"$object":"shop.jobs:HelloEmailJob","fields":{"subject":"Hello"}}}

Beside the payload there may be an option, see `isolation`.
JSON values stand for themselves. Every other value is an object whose first key is a tag that begins with `$`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from backburner.core.allow import Allowed
from backburner.core.errors import (
    BackburnerError,
    DeserializationError,
    EnqueueError,
    NotSerializable,
    RecordMissing,
    UnknownJob,
    UnknownMethod,
    UnsavedRecord,
)
from backburner.core.isolation import KEY
from backburner.core.naming import is_name
from backburner.core.payload import Call, is_async
from backburner.core.reading import LoaderFailed, Reader
from backburner.core.records import LateKey, PlainModels, RecordKind, kind_of
from backburner.core.signatures import check_job_object
from backburner.core.text import message_of, printable
from backburner.core.values import PLAIN
from backburner.core.writing import Writer, path_of

FORMAT = 1

_COMPACT: dict[str, Any] = {"separators": (",", ":"), "check_circular": False, "allow_nan": False}


def _make_to_text() -> Callable[[Any], str]:
    """Return what `JSONEncoder.encode` does, but for the new encoder in C that it makes for each text."""
    ordinary = json.JSONEncoder(ensure_ascii=False, **_COMPACT)
    make = getattr(json.encoder, "c_make_encoder", None)  # missing where json has no part in C
    if make is None:
        return ordinary.encode
    encode = make(None, ordinary.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda body: "".join(encode(body, 0))


_to_text = _make_to_text()
_to_ascii = json.JSONEncoder(ensure_ascii=True, **_COMPACT).encode

_CALLS = ({"v", "call"}, {"v", KEY, "call"})
_OBJECTS = ({"v", "object"}, {"v", KEY, "object"})
_CALL_OF_FUNCTION = {"function", "args", "kwargs"}
_CALL_OF_METHOD = {"on", "method", "args", "kwargs"}


class Codec:
    """Writes payloads as handlers and reads them again.

    `records` are kinds of records beside that of plain models; the first that recognises a class wins. A handler shows
    the attributes of records unless `record_attributes` is off.
    """

    def __init__(self, allowed: Allowed, records: Iterable[RecordKind] = (), record_attributes: bool = True) -> None:
        self.allowed = allowed
        self._kinds: list[RecordKind] = [*records, PlainModels()]
        self._writer = Writer(allowed, self._kinds, record_attributes)
        self._reader = Reader(allowed, self._kinds)

    def add_records(self, kind: RecordKind) -> None:
        """Know another kind of records, before those that are known already."""
        self._kinds.insert(0, kind)
        self._writer.forget()

    def dump(self, payload: Any) -> str:
        """Return the handler of a payload.

        Raises NotSerializable, NotImportable, NotAllowed or UnsavedRecord, with the path of the offending value;
        EnqueueError for what has no `perform`.
        """
        try:
            return self._plain(payload) or _text_of(self._written(payload))
        except EnqueueError as error:
            path = path_of(error)
            raise type(error)(f"{path}: {error}") if path else error from error.__cause__
        except RecursionError:
            raise NotSerializable("the payload is nested too deeply") from None

    def load(self, handler: str) -> Any:
        """Return the payload of a handler: a Call or a job object. Records are read again by their keys.

        Raises DeserializationError when it cannot be read, RecordMissing when a record is gone, UnknownJob when its
        code, or what reads its format, is not here, NotAllowed when its code may not run. What the reading of a
        record raises passes through.
        """
        try:
            return self._payload(_parsed(handler))
        except RecordMissing:
            raise
        except DeserializationError as error:
            raise _unreadable(str(error), handler) from error.__cause__
        except UnknownMethod as error:
            raise UnknownJob(f"{error} here: is this the version that enqueued the job?") from error
        except BackburnerError:
            raise
        except LoaderFailed as failure:
            raise failure.error from None
        except RecursionError:
            raise _unreadable("it is nested too deeply", handler) from None
        except Exception as error:
            raise _unreadable(f"{type(error).__name__}: {message_of(error)}", handler) from error

    def fill(self, handler: str, late: Iterable[LateKey]) -> str:
        """Return a handler with the keys that records have by now in the places of their tokens.

        Raises UnsavedRecord when one has none.
        """
        for awaited in late:
            kind = kind_of(type(awaited.record), self._kinds)
            key = None if kind is None else kind.key(awaited.record)
            if key is None or isinstance(key, LateKey):
                raise UnsavedRecord(f"this {type(awaited.record).__qualname__} was not saved: it has no key")
            handler = handler.replace(f'"{awaited.token}"', _text_of(self._writer.named({"key": key}, ".{}")["key"]))
        return handler

    def value(self, written: Any) -> Any:
        """Return the value that is written so within a handler. Raises what reading it raises."""
        return self._reader.read(written)

    def is_async(self, code: str, method: str | None) -> bool:
        """Say whether this function, or this method of this class or module, is a coroutine function.

        Raises DeserializationError, UnknownJob or NotAllowed when there is no such code here.
        """
        return is_async(self._reader.code(code), method)

    def _plain(self, payload: Any) -> str | None:
        """Return the handler of a function's call without the way by `_written`; None where that may not do.

        Most calls are of functions, and most arguments are JSON values by themselves.
        """
        if type(payload) is not Call or payload.method is not None:
            return None
        args, kwargs = payload.args, payload.kwargs
        if not PLAIN.issuperset(map(type, args)) or (kwargs and not PLAIN.issuperset(map(type, kwargs.values()))):
            return None
        function = self._writer.function(payload.target)  # a dotted name: nothing in it needs an escape
        try:
            args_text = f',"args":{_to_text(args)}' if args else ""
            kwargs_text = f',"kwargs":{_to_text(kwargs)}' if kwargs else ""
        except ValueError:
            return None
        handler = f'{{"v":{FORMAT},"call":{{"function":"{function}"{args_text}{kwargs_text}}}}}'
        return handler if handler.isascii() else None

    def _written(self, payload: Any) -> dict[str, Any]:
        if type(payload) is Call:
            return {"v": FORMAT, "call": self._written_call(payload)}
        check_job_object(payload)
        return {"v": FORMAT, "object": self._writer.root(payload)}

    def _written_call(self, call: Call) -> dict[str, Any]:
        if call.method is None:
            written: dict[str, Any] = {"function": self._writer.function(call.target)}
        else:
            written = {"on": self._writer.receiver(call.target, call.method), "method": call.method}
        if call.args:
            written["args"] = self._writer.items(call.args, "args[{}]")
        if call.kwargs:
            written["kwargs"] = self._writer.named(call.kwargs, "kwargs[{!r}]")
        return written

    def _payload(self, body: Any) -> Any:
        if type(body) is not dict or type(version := body.get("v")) is not int:
            raise DeserializationError("expected an object with the version v")
        if version > FORMAT:
            raise UnknownJob(f"the handler was made by a newer version of backburner: format {version}, not {FORMAT}")
        if version != FORMAT:
            raise DeserializationError(f"made by another version of backburner: format {version}")
        if body.keys() in _CALLS:
            return self._call(body["call"])
        if body.keys() in _OBJECTS:
            return self._job_object(body["object"])
        raise DeserializationError(f"expected v and call, or v and object, got {', '.join(body)}")

    def _call(self, call: Any) -> Call:
        if type(call) is not dict:
            raise DeserializationError("expected the call to be an object")
        method = call.get("method")
        if "function" in call and call.keys() <= _CALL_OF_FUNCTION:
            target = self._reader.function(call["function"])
        elif "on" in call and call.keys() <= _CALL_OF_METHOD and is_name(method):
            target = self._reader.receiver(call["on"], method)
        else:
            raise DeserializationError(f"expected a call of a function or method, got {', '.join(call)}")
        args = tuple(self._reader.items(call["args"])) if "args" in call else ()
        return Call(target, method, args, self._reader.named(call["kwargs"]) if "kwargs" in call else {})

    def _job_object(self, written: Any) -> Any:
        payload = self._reader.read(written)
        try:
            check_job_object(payload)
        except EnqueueError as error:
            raise DeserializationError(f"expected a job object: {error}") from error
        return payload


def _text_of(body: Any) -> str:
    try:
        text = _to_text(body)
    except ValueError as error:
        raise NotSerializable(f"a number cannot be written: {error}") from None
    return text if text.isascii() else _encodable(text, body)


def _encodable(text: str, body: Any) -> str:
    """Return JSON that can be encoded in UTF-8, with escapes where there are halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _to_ascii(body)
        if json.loads(text) != body:
            raise NotSerializable("text with both halves of a surrogate pair cannot be written") from None
    return text


def _parsed(handler: Any) -> Any:
    if not isinstance(handler, str):
        raise DeserializationError(f"expected text, got {type(handler).__name__}")
    text = handler.strip(_WHITE_SPACE)
    try:
        body, end = _decode_from(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except ValueError as error:
        raise DeserializationError(f"it is not JSON: {error}") from None
    return body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_WHITE_SPACE = " \t\n\r"
_decode_from = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).raw_decode
"""What `decode` does takes half as long again, as it looks for white space with a regular expression."""


def _unreadable(reason: str, handler: Any) -> DeserializationError:
    return DeserializationError(f"{printable(reason, 300)}. The handler begins: {printable(str(handler)[:100], 100)}")
