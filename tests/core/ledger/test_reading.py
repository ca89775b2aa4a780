from uuid import UUID

from citycard.store import reading


def test_the_trial_balance_sums_by_code(ledger, store, post, move):
    post(move(1, "bank", "purse/1", 500), move(2, "bank", "purse/2", 300), move(3, "purse/1", "shop", 120))
    with reading(store) as conn:
        trial = ledger.trial_balance(conn)
    lines = {
        line.code: (line.title, line.accounts, line.debits_fen, line.credits_fen) for line in trial.lines
    }
    assert lines[1001] == ("Trust bank", 1, 800, 0)
    assert lines[2001] == ("Card float", 2, 120, 800)
    assert lines[2101] == ("Payable to partners", 1, 0, 120)
    assert (trial.debits_fen, trial.credits_fen) == (920, 920)


def test_an_accounts_transfers_come_newest_first_and_in_pages(ledger, store, post, move):
    post(*[move(number, "bank", "shop", number) for number in range(1, 6)])
    with reading(store) as conn:
        first = ledger.transfers_of(conn, "shop", limit=2)
        rest = ledger.transfers_of(conn, "shop", before=first[-1].posted_seq)
    assert [one.transfer.amount_fen for one in first + rest] == [5, 4, 3, 2, 1]


def test_transfers_are_found_by_id(ledger, store, post, move):
    wanted = move(1, "bank", "shop", 5, group=UUID(int=9), ref="run/1")
    post(wanted)
    with reading(store) as conn:
        found = ledger.find(conn, [UUID(int=1), UUID(int=2)])
    assert {key: one.transfer for key, one in found.items()} == {UUID(int=1): wanted}
