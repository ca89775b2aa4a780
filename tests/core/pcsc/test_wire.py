"""The wire keeps messages whole, however the network cuts them."""

from __future__ import annotations

import socket
import threading

import pytest

from citycard.pcsc.wire import Wire


@pytest.fixture
def ends():
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    yield Wire(ours), theirs
    for one in (ours, theirs, listener):
        one.close()


def test_messages_arrive_whole_when_every_byte_comes_alone(ends):
    wire, reader = ends

    def trickle():
        for byte in b"\x00\x01\x04" + b"\x00\x05\x00\x84\x00\x00\x08":
            reader.sendall(bytes((byte,)))

    sender = threading.Thread(target=trickle)
    sender.start()
    assert [wire.receive(), wire.receive()] == [b"\x04", b"\x00\x84\x00\x00\x08"]
    sender.join()


def test_two_messages_in_one_piece_are_two_messages(ends):
    wire, reader = ends
    reader.sendall(b"\x00\x01\x01\x00\x01\x04")

    assert [wire.receive(), wire.receive()] == [b"\x01", b"\x04"]


def test_an_answer_carries_its_length(ends):
    wire, reader = ends
    wire.send(b"\x90\x00")

    assert reader.recv(100) == b"\x00\x02\x90\x00"


def test_a_reader_that_leaves_in_the_middle_of_a_message_has_left(ends):
    wire, reader = ends
    reader.sendall(b"\x00\x05\x00\x84")
    reader.close()

    assert wire.receive() is None
