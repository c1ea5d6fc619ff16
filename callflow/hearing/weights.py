"""The numbers a model in ONNX's format is made of, read without a library for it.

ONNX files are protocol buffers (onnx.proto3); of their fields only those on the way to the weights are looked at:
a model holds a graph, a graph nodes, a node attributes, and an attribute a tensor or another graph.
"""

from collections.abc import Iterator

import numpy as np

from callflow.hearing.frames import Floats

_MODEL_GRAPH = 7
_GRAPH_NODE = 1
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 1, 5, 6
_TENSOR_NAME, _TENSOR_RAW = 8, 9
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""


def read_weights(model: bytes, branch: str) -> dict[str, Floats]:
    """The named constants in one branch (then_branch, else_branch) of the model's choice, flat. Raises ValueError."""
    weights: dict[str, Floats] = {}
    for graph in _inside(memoryview(model), _MODEL_GRAPH):
        for attribute in _attributes(graph):
            if branch.encode() in _inside(attribute, _ATTRIBUTE_NAME):
                for chosen in _inside(attribute, _ATTRIBUTE_GRAPH):
                    weights |= _constants(chosen)
    return weights


def _constants(graph: memoryview) -> dict[str, Floats]:
    found = {}
    for attribute in _attributes(graph):
        for tensor in _inside(attribute, _ATTRIBUTE_TENSOR):
            fields = dict(_fields(tensor))
            name = bytes(fields.get(_TENSOR_NAME, b"")).decode()
            if name:
                found[name] = np.frombuffer(fields.get(_TENSOR_RAW, b""), dtype="<f4")
    return found


def _attributes(graph: memoryview) -> Iterator[memoryview]:
    for node in _inside(graph, _GRAPH_NODE):
        yield from _inside(node, _NODE_ATTRIBUTE)


def _inside(message: memoryview, field: int) -> list[memoryview]:
    """Every value of one field."""
    return [value for number, value in _fields(message) if number == field]


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of each field that holds bytes; numbers are passed over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        size = {_FIXED64: 8, _FIXED32: 4}.get(key & 7, 0)
        if key & 7 in (_VARINT, _BYTES):
            size, at = _varint(message, at)
        elif not size:
            raise ValueError("no protocol buffer")
        if key & 7 == _BYTES:
            yield key >> 3, message[at : at + size]
        if key & 7 != _VARINT:
            at += size
    if at > len(message):
        raise ValueError("the file ends early")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("the file ends early")
