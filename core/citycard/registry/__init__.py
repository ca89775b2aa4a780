"""Who and what takes part: districts, partners, places, terminals, products, cards, holders, rights.

- ``records``: the frozen records that go in and come out;
- ``adding``: many records at once, again without harm;
- ``finding``: one record by its key, or all of a kind;
- ``status``: the life of a card, and the status of partners and terminals;
- ``events`` and ``closings``: what else is done to a card, and what is owed for one that is given up;
- ``ranges``, ``stock`` and ``personalising``: numbers, blank cards, and the jobs that make cards of them;
- ``blacklist`` and ``foreignlists``: numbered lists of cards to refuse;
- ``cities`` and ``citytables``: other cities that take part, their keys and fees;
- ``entitlements``: rights of cards and holders, with source and end;
- ``holders`` and ``sealing``: personal data, sealed at rest, and the log of who read it;
- ``oldcards``: old sector cards on their way to new cards, and what was carried over;
- ``tables``: where it is all kept.

Every function works in the transaction of the connection it is given.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# At once: this module has the name of a function that is in it, and would be found in its stead.
from citycard.registry.closings import (
    CardClosing,
    ClosingState,
    add_closing,
    closing_for,
    closing_of,
    closings,
    find_closing,
    set_closing,
)

if TYPE_CHECKING:
    from citycard.registry.adding import (
        add_cards,
        add_districts,
        add_new_cards,
        add_partners,
        add_places,
        add_product_versions,
        add_products,
        add_terminals,
    )
    from citycard.registry.blacklist import (
        blacklist_at,
        blacklist_cards,
        blacklist_entries,
        blacklist_number,
        publish_blacklist,
        unblacklist_cards,
    )
    from citycard.registry.cities import (
        CityChange,
        CityFee,
        OtherCity,
        Used,
        add_city,
        add_city_key,
        change_city,
        city_fees,
        city_history,
        city_keys,
        find_city,
        other_cities,
        remove_city,
        set_city_fee,
    )
    from citycard.registry.entitlements import (
        add_entitlements,
        carry_entitlements,
        end_entitlement,
        entitlements_of,
        entitlements_on,
    )
    from citycard.registry.events import (
        CardEvent,
        card_events,
        note_events,
    )
    from citycard.registry.finding import (
        cards_by_asn,
        cards_of_holder,
        count_cards,
        count_versions,
        districts,
        find_card,
        find_partner,
        find_place,
        find_product,
        find_product_version,
        find_terminal,
        hold_card,
        latest_product_version,
        partners,
        places,
        product_versions,
        products,
        terminals,
    )
    from citycard.registry.holders import add_holders, assign_card, holder_reads, read_holder
    from citycard.registry.oldcards import (
        MigrationState,
        MigrationStep,
        OldCardMigration,
        add_carryover,
        advance_migration,
        begin_migration,
        carryover_of,
        migration_steps,
        migrations_of,
    )
    from citycard.registry.personalising import (
        JobCount,
        PersonalisationJob,
        SpoiledNumber,
        check_job_supply,
        count_job,
        find_personalisation_job,
        number_state,
        personalisation_jobs,
        spoiled_numbers,
    )
    from citycard.registry.ranges import (
        NumberRange,
        add_number_range,
        check_number_ranges,
        find_number_range,
        number_ranges,
    )
    from citycard.registry.records import (
        BlacklistEntry,
        Card,
        CardStatus,
        CardStatusChange,
        District,
        Entitlement,
        Holder,
        HolderRead,
        Partner,
        PartnerChange,
        PartnerStatus,
        Place,
        Product,
        ProductVersion,
        Terminal,
        TerminalStatus,
    )
    from citycard.registry.sealing import AesGcmSealer, Sealer
    from citycard.registry.status import (
        card_history,
        change_partner,
        partner_history,
        renew_card,
        retire_product,
        set_card_status,
        set_card_version,
        set_terminal_status,
    )
    from citycard.registry.stock import (
        SPOILED,
        STORE,
        SUPPLIER,
        USED,
        LotCount,
        StockLot,
        move_stock,
        receive_stock,
        stock_at,
        stock_report,
    )

__all__ = [
    "SPOILED",
    "STORE",
    "SUPPLIER",
    "USED",
    "AesGcmSealer",
    "BlacklistEntry",
    "Card",
    "CardClosing",
    "CardEvent",
    "CardStatus",
    "CardStatusChange",
    "CityChange",
    "CityFee",
    "ClosingState",
    "District",
    "Entitlement",
    "Holder",
    "HolderRead",
    "JobCount",
    "LotCount",
    "MigrationState",
    "MigrationStep",
    "NumberRange",
    "OldCardMigration",
    "OtherCity",
    "Partner",
    "PartnerChange",
    "PartnerStatus",
    "PersonalisationJob",
    "Place",
    "Product",
    "ProductVersion",
    "Sealer",
    "SpoiledNumber",
    "StockLot",
    "Terminal",
    "TerminalStatus",
    "Used",
    "add_cards",
    "add_carryover",
    "add_city",
    "add_city_key",
    "add_closing",
    "add_districts",
    "add_entitlements",
    "add_holders",
    "add_new_cards",
    "add_number_range",
    "add_partners",
    "add_places",
    "add_product_versions",
    "add_products",
    "add_terminals",
    "advance_migration",
    "assign_card",
    "begin_migration",
    "blacklist_at",
    "blacklist_cards",
    "blacklist_entries",
    "blacklist_number",
    "card_events",
    "card_history",
    "cards_by_asn",
    "cards_of_holder",
    "carry_entitlements",
    "carryover_of",
    "change_city",
    "change_partner",
    "check_job_supply",
    "check_number_ranges",
    "city_fees",
    "city_history",
    "city_keys",
    "closing_for",
    "closing_of",
    "closings",
    "count_cards",
    "count_job",
    "count_versions",
    "districts",
    "end_entitlement",
    "entitlements_of",
    "entitlements_on",
    "find_card",
    "find_city",
    "find_closing",
    "find_number_range",
    "find_partner",
    "find_personalisation_job",
    "find_place",
    "find_product",
    "find_product_version",
    "find_terminal",
    "hold_card",
    "holder_reads",
    "latest_product_version",
    "migration_steps",
    "migrations_of",
    "move_stock",
    "note_events",
    "number_ranges",
    "number_state",
    "other_cities",
    "partner_history",
    "partners",
    "personalisation_jobs",
    "places",
    "product_versions",
    "products",
    "publish_blacklist",
    "read_holder",
    "receive_stock",
    "remove_city",
    "renew_card",
    "retire_product",
    "set_card_status",
    "set_card_version",
    "set_city_fee",
    "set_closing",
    "set_terminal_status",
    "spoiled_numbers",
    "stock_at",
    "stock_report",
    "terminals",
    "unblacklist_cards",
]

# Where each name stands.
_MODULES = {
    "adding": (
        "add_cards add_districts add_new_cards add_partners add_places add_product_versions "
        "add_products add_terminals"
    ),
    "blacklist": (
        "blacklist_at blacklist_cards blacklist_entries blacklist_number publish_blacklist unblacklist_cards"
    ),
    "cities": (
        "CityChange CityFee OtherCity Used add_city add_city_key change_city city_fees city_history "
        "city_keys find_city other_cities remove_city set_city_fee"
    ),
    "entitlements": "add_entitlements carry_entitlements end_entitlement entitlements_of entitlements_on",
    "events": "CardEvent card_events note_events",
    "finding": (
        "cards_by_asn cards_of_holder count_cards count_versions districts find_card find_partner "
        "find_place find_product find_product_version find_terminal hold_card latest_product_version "
        "partners places product_versions products terminals"
    ),
    "holders": "add_holders assign_card holder_reads read_holder",
    "oldcards": (
        "MigrationState MigrationStep OldCardMigration add_carryover advance_migration "
        "begin_migration carryover_of migration_steps migrations_of"
    ),
    "personalising": (
        "JobCount PersonalisationJob SpoiledNumber check_job_supply count_job "
        "find_personalisation_job number_state personalisation_jobs spoiled_numbers"
    ),
    "ranges": "NumberRange add_number_range check_number_ranges find_number_range number_ranges",
    "records": (
        "BlacklistEntry Card CardStatus CardStatusChange District Entitlement Holder HolderRead "
        "Partner PartnerChange PartnerStatus Place Product ProductVersion Terminal TerminalStatus"
    ),
    "sealing": "AesGcmSealer Sealer",
    "status": (
        "card_history change_partner partner_history renew_card retire_product set_card_status "
        "set_card_version set_terminal_status"
    ),
    "stock": ("SPOILED STORE SUPPLIER USED LotCount StockLot move_stock receive_stock stock_at stock_report"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    # A plugin that refers to a card needs its table, and neither the records nor the keys of other cities.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
