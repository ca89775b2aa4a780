"""Whoever waits is woken when it is answered, or when its time is over, whichever comes first."""

import asyncio
import threading

from citycard.ledger.waiting import Call, Watch, share, wake, watch_of


def call(wait_s, done, loop=None, transfers=()):
    return Call(transfers=transfers, accounts=(), wait_s=wait_s, done=done, loop=loop)


def run(waits, answered=()):
    """Let calls wait so long, answer some, and give the numbers of the others as they are woken."""

    async def main():
        loop, woken = asyncio.get_running_loop(), []
        watch = Watch()

        async def one(number, wait_s):
            mine = call(wait_s, loop.create_future(), loop)
            watch.add(mine)
            if number in answered:
                share([mine], [])
            await mine.done
            watch.discard(mine)
            if not mine.answered:
                woken.append(number)

        await asyncio.wait_for(asyncio.gather(*(one(*each) for each in enumerate(waits))), 30)
        return woken

    return asyncio.run(main())


def test_the_shortest_wait_ends_first():
    assert run([0.3, 0.1, 0.2]) == [1, 2, 0]
    assert run([0.1, 0.2, 0.3]) == [0, 1, 2]


def test_who_is_answered_is_not_woken_again():
    assert run([0.05, 0.1, 0.15], answered={0, 2}) == [1]


def test_a_wait_of_nothing_ends_at_once():
    assert run([0.0, -1.0]) in ([0, 1], [1, 0])


def test_each_loop_has_one_watch():
    async def mine():
        loop = asyncio.get_running_loop()
        assert watch_of(loop) is watch_of(loop)
        return watch_of(loop)

    assert asyncio.run(mine()) is not asyncio.run(mine())


def test_each_call_gets_its_own_answers():
    calls = [call(1, threading.Event(), transfers=[None] * size) for size in (2, 0, 1)]
    share(calls, ["a", "b", "c"])
    assert [one.result() for one in calls] == [["a", "b"], [], ["c"]]
    assert all(one.done.is_set() for one in calls)


def test_a_loop_that_was_closed_has_nobody_left_to_wake():
    loop = asyncio.new_event_loop()
    left = call(1, loop.create_future(), loop)
    loop.close()
    other = call(1, threading.Event())
    wake([left, other])
    assert other.done.is_set()
