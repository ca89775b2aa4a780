"""Open what the plugins that run declare about money: who is paid, and the accounts they post to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from citycard.errors import CitycardError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City
    from citycard.ledger import AccountSpec
    from citycard.registry import Partner

__all__ = ["open_declared"]


def open_declared(city: City) -> int:
    """Open the partners and ledger accounts that are missing, and return how many; again without harm.

    A partner that is there stays as it is: its bank account is the operator's to change. One plugin's
    mistake keeps no other plugin's partners out; the first error is raised when all others are open.
    """
    opened = 0
    errors: list[CitycardError] = []
    wanted = _wanted(city)
    if all(_is_open(city, partners, accounts) for partners, accounts in wanted.values()):
        return 0
    for partners, accounts in wanted.values():
        try:
            opened += _open(city, partners, accounts)
        except CitycardError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return opened


def _wanted(city: City) -> dict[str, tuple[list[Partner], list[AccountSpec]]]:
    wanted: dict[str, tuple[list[Partner], list[AccountSpec]]] = {}
    home = {name: district.id for district in city.config.districts for name in district.partners}
    for participant in city.plugins.participants():
        partner = participant.record.partner()
        if partner.id in home and partner.district is None:
            partner = attrs.evolve(partner, district=home[partner.id])
        wanted.setdefault(participant.owner.plugin, ([], []))[0].append(partner)
    for account in city.plugins.accounts():
        name = account.owner.plugin
        wanted.setdefault(name, ([], []))[1].append(account.record.spec(name))
    return wanted


def _is_open(city: City, partners: list[Partner], accounts: list[AccountSpec]) -> bool:
    """Look without writing: a server asks after every switching, and mostly nothing is missing."""
    from sqlalchemy import select

    from citycard.ledger.tables import account
    from citycard.store import reading
    from citycard.store.bulk import select_in

    with reading(city.engine) as conn:
        if _missing(conn, partners):
            return False
        addresses = [spec.address for spec in accounts]
        found = list(select_in(conn, select(account.c.address), account.c.address, addresses))
    return len(found) == len(set(addresses))


def _open(city: City, partners: list[Partner], accounts: list[AccountSpec]) -> int:
    from citycard import registry
    from citycard.store import writing

    with writing(city.engine) as conn:
        added = registry.add_partners(conn, _missing(conn, partners))
        return added + city.ledger.open_accounts(conn, accounts)


def _missing(conn: Connection, partners: list[Partner]) -> list[Partner]:
    from sqlalchemy import select

    from citycard.registry.tables import partner
    from citycard.store.bulk import select_in

    ids = [each.id for each in partners]
    known = {row.id for row in select_in(conn, select(partner.c.id), partner.c.id, ids)}
    return [each for each in partners if each.id not in known]
