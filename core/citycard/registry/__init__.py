"""Who and what takes part: districts, partners, places, terminals, products, cards, holders, rights.

- ``records``: the frozen records that go in and come out;
- ``adding``: many records at once, again without harm;
- ``finding``: one record by its key, or all of a kind;
- ``status``: the life of a card, and the status of partners and terminals;
- ``blacklist``: numbered lists of cards to refuse;
- ``entitlements``: rights of cards and holders, with source and end;
- ``holders`` and ``sealing``: personal data, sealed at rest, and the log of who read it;
- ``tables``: where it is all kept.

Every function works in the transaction of the connection it is given.
"""

from citycard.registry.adding import (
    add_cards,
    add_districts,
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
from citycard.registry.entitlements import (
    add_entitlements,
    end_entitlement,
    entitlements_of,
    entitlements_on,
)
from citycard.registry.finding import (
    cards_by_asn,
    cards_of_holder,
    count_cards,
    districts,
    find_card,
    find_partner,
    find_place,
    find_product,
    find_product_version,
    find_terminal,
    latest_product_version,
    partners,
    places,
    product_versions,
    products,
    terminals,
)
from citycard.registry.holders import add_holders, assign_card, holder_reads, read_holder
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
    set_card_status,
    set_partner_status,
    set_terminal_status,
)

__all__ = [
    "AesGcmSealer",
    "BlacklistEntry",
    "Card",
    "CardStatus",
    "CardStatusChange",
    "District",
    "Entitlement",
    "Holder",
    "HolderRead",
    "Partner",
    "PartnerStatus",
    "Place",
    "Product",
    "ProductVersion",
    "Sealer",
    "Terminal",
    "TerminalStatus",
    "add_cards",
    "add_districts",
    "add_entitlements",
    "add_holders",
    "add_partners",
    "add_places",
    "add_product_versions",
    "add_products",
    "add_terminals",
    "assign_card",
    "blacklist_at",
    "blacklist_cards",
    "blacklist_entries",
    "blacklist_number",
    "card_history",
    "cards_by_asn",
    "cards_of_holder",
    "count_cards",
    "districts",
    "end_entitlement",
    "entitlements_of",
    "entitlements_on",
    "find_card",
    "find_partner",
    "find_place",
    "find_product",
    "find_product_version",
    "find_terminal",
    "holder_reads",
    "latest_product_version",
    "partners",
    "places",
    "product_versions",
    "products",
    "publish_blacklist",
    "read_holder",
    "set_card_status",
    "set_partner_status",
    "set_terminal_status",
    "terminals",
    "unblacklist_cards",
]
