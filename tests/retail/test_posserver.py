import asyncio

from citycard_retail.iso import read_message, write_message
from citycard_retail.pos import PosHost
from citycard_retail.posserver import serving


def served(market, talk):
    async def run():
        async with serving(PosHost(market), "127.0.0.1", 0) as server:
            return await talk(server.sockets[0].getsockname()[1])

    return asyncio.run(run())


def test_many_pos_at_once_and_many_messages_on_one_connection_are_answered(shops, pos, guest):
    lines = [[pos.purchase(guest, 100 + each) for each in range(3)] for _ in range(4)]

    async def one(port, messages):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for message in messages:  # all are sent before the first is answered, in pieces
            raw = write_message(message, pos.key)
            framed = len(raw).to_bytes(2) + raw
            writer.write(framed[:5])
            await asyncio.sleep(0)
            writer.write(framed[5:])
        found = []
        for _ in messages:
            size = int.from_bytes(await reader.readexactly(2))
            found.append(read_message(await reader.readexactly(size))[0].fields)
        writer.close()
        return found

    async def talk(port):
        return await asyncio.gather(*(one(port, messages) for messages in lines))

    answers = served(shops.market, talk)
    assert [[(one["39"], one["11"]) for one in found] for found in answers] == [
        [("00", message.fields["11"]) for message in messages] for messages in lines
    ]


def test_the_same_message_over_two_connections_at_once_is_done_once(shops, pos, guest):
    raw = write_message(pos.purchase(guest, 60_000), pos.key)

    async def one(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(raw).to_bytes(2) + raw)
        size = int.from_bytes(await reader.readexactly(2))
        reply = read_message(await reader.readexactly(size))[0]
        writer.close()
        return reply.fields["39"]

    async def talk(port):
        return await asyncio.gather(*(one(port) for _ in range(4)))

    assert served(shops.market, talk) == ["00"] * 4
    shops.town.clear()
    assert shops.town.statement("grand-hotel").carried_fen == 60_000 - 600


def test_whoever_sends_no_message_is_hung_up_on_and_others_are_served(shops, pos, guest):
    async def talk(port):
        found = []
        for sent in (b"\x00\x04GET ", b"\xff\xff" + b"0" * 65_535, b"\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            if sent == b"\x00":
                writer.write_eof()
            found.append(await reader.read())
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        raw = write_message(pos.purchase(guest, 100), pos.key)
        writer.write(len(raw).to_bytes(2) + raw)
        found.append(len(await reader.readexactly(2)))
        writer.close()
        return found

    assert served(shops.market, talk) == [b"", b"", b"", 2]
