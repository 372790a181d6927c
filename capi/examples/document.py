"""A frozen document from Python: JSON becomes objects of the heap, is frozen deeply, and read back through the C interface.

    document.py LIBRARY [FILE]

Everything goes through ctypes and frazil.h alone: lists and objects of the document are mutable while they are filled,
then they are frozen in place, and the collector counts them instead of tracing them."""

import ctypes
import json
import sys
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint16, c_uint32, c_uint64, c_uint8


class Word(ctypes.Structure):
    """frazil_value, frazil_heap, frazil_handle: one 64-bit number each."""

    _fields_ = [("bits", c_uint64)]


class Shape(ctypes.Structure):
    """frazil_shape."""

    _fields_ = [("name", c_char_p), ("references", c_uint32), ("raw_words", c_uint32), ("tail", c_uint32),
                ("is_mutable", c_uint32), ("id", c_uint16)]


class Report(ctypes.Structure):
    """frazil_report."""

    _fields_ = [(name, c_uint64) for name in (
        "number kind pause_ns drain_ns allocated_bytes promoted_objects promoted_bytes traced_objects traced_bytes "
        "settled components freed_objects freed_bytes waiting weak_cleared finalizable old_objects old_bytes "
        "block_bytes").split()]


class Failure(Exception):
    """A status that is not FRAZIL_OK."""


OK, FROZEN = 0, 12
COMPLETE = 2
TAIL_REFERENCES, TAIL_BYTES, TAIL_TEXT = 1, 2, 3
TEXT, NUMBER, LIST, OBJECT = 1, 2, 3, 4
# Immediates: the lowest three bits are not all clear.
NULL, FALSE, TRUE = 2, 10, 18


class Heap:
    """A heap whose objects are the parts of documents."""

    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.library.frazil_error_message.restype = c_char_p
        self.library.frazil_status_name.restype = c_char_p
        self.number = Word()
        self.call("heap_create", None, c_size_t(0), byref(self.number), heap=False)
        for id, name, tail, is_mutable in ((TEXT, b"text", TAIL_TEXT, 0), (NUMBER, b"number", TAIL_BYTES, 0),
                                           (LIST, b"list", TAIL_REFERENCES, 1), (OBJECT, b"object", TAIL_REFERENCES, 1)):
            shape = Shape(name, 0, 0, tail, is_mutable, id)
            self.call("shape_define", byref(shape), c_size_t(ctypes.sizeof(shape)))

    def status(self, name, *arguments, heap=True):
        """The status of a call."""
        return getattr(self.library, "frazil_" + name)(*([self.number] if heap else []), *arguments)

    def call(self, name, *arguments, heap=True):
        """A call that is to succeed."""
        status = self.status(name, *arguments, heap=heap)
        if status != OK:
            message = self.library.frazil_error_message().decode()
            raise Failure(f"{self.library.frazil_status_name(c_uint32(status)).decode()}: {message}")

    def close(self):
        self.call("heap_destroy")

    # -- building. Allocation does not collect, so words stay good until `freeze`.

    def make(self, shape, references=(), raw=b""):
        made = Word()
        words = (Word * max(len(references), 1))(*references)
        bytes_ = (c_uint8 * max(len(raw), 1)).from_buffer_copy(raw or b"\0")
        self.call("make", c_uint16(shape), words, c_size_t(len(references)), bytes_, c_size_t(len(raw)), byref(made))
        return made

    def build(self, data):
        """The value of some JSON data."""
        if data is None or isinstance(data, bool):
            return Word(NULL if data is None else TRUE if data else FALSE)
        if isinstance(data, (int, float)):
            return self.make(NUMBER, raw=json.dumps(data).encode())
        if isinstance(data, str):
            return self.make(TEXT, raw=data.encode())
        parts = data if isinstance(data, list) else [part for item in data.items() for part in item]
        made = Word()
        self.call("alloc", c_uint16(LIST if isinstance(data, list) else OBJECT), c_size_t(len(parts)), byref(made))
        for index, part in enumerate(parts):
            self.call("store", made, c_size_t(index), self.build(part))
        return made

    def freeze(self, value):
        """Freezes a document. Says how many objects were frozen, and which handle holds it from now on."""
        count, handle = c_size_t(), Word()
        self.call("freeze_deep", value, byref(count))
        self.call("handle_new", value, byref(handle))
        return count.value, handle

    def collect(self):
        report = Report()
        self.call("collect", c_uint32(COMPLETE), byref(report), c_size_t(ctypes.sizeof(report)))
        return report

    # -- reading

    def held(self, handle):
        value = Word()
        self.call("handle_get", handle, byref(value))
        return value

    def bytes(self, value):
        first, length = POINTER(c_uint8)(), c_size_t()
        self.call("bytes_view", value, byref(first), byref(length))
        return bytes(first[:length.value])

    def read(self, value):
        """The data of a value."""
        if value.bits & 7:
            return {NULL: None, FALSE: False, TRUE: True}[value.bits]
        info = self.describe(value)
        if info.shape in (TEXT, NUMBER):
            text = self.bytes(value).decode()
            return text if info.shape == TEXT else json.loads(text)
        parts = []
        for index in range(info.references):
            part = Word()
            self.call("load", value, c_size_t(index), byref(part))
            parts.append(self.read(part))
        return parts if info.shape == LIST else dict(zip(parts[::2], parts[1::2]))

    def describe(self, value):
        info = ObjectInfo()
        self.call("describe", value, byref(info), c_size_t(ctypes.sizeof(info)))
        return info


class ObjectInfo(ctypes.Structure):
    """frazil_object_info."""

    _fields_ = [("references", c_size_t), ("bytes", c_size_t), ("raw_words", c_size_t), ("size", c_size_t),
                ("shape", c_uint16), ("is_mutable", c_uint8), ("is_frozen", c_uint8), ("is_guarded", c_uint8),
                ("reserved", c_uint8 * 3)]


EXAMPLE = {"name": "frazil", "words": ["frozen", "counted", "ünïcode"], "answer": 42, "half": 0.5,
           "nested": [[[{"deep": None}]], True, False], "many": [{"id": n, "square": n * n} for n in range(500)]}


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: document.py LIBRARY [FILE]")
    heap = Heap(sys.argv[1])
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            data = json.load(file)
    else:
        data = EXAMPLE
    frozen, handle = heap.freeze(heap.build(data))
    heap.collect()
    second = heap.collect()
    document = heap.held(handle)
    assert heap.read(document) == data, "the document has changed"
    assert heap.describe(document).is_frozen
    assert heap.status("store", document, c_size_t(0), Word(NULL)) == FROZEN
    assert second.traced_objects == 0, "frozen data is not traced"
    try:
        heap.read(Word(12345 * 16))
        raise AssertionError("a word that leads nowhere was taken")
    except Failure as failure:
        assert "FRAZIL_NOT_AN_OBJECT" in str(failure)
    print(f"{frozen} objects frozen, {second.old_objects} in the heap, {second.traced_objects} traced")
    heap.call("handle_free", handle)
    assert heap.collect().old_objects == 0, "all of it is gone"
    heap.close()


main()
