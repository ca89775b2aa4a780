"""The S-boxes of DES (FIPS 46-3, appendix 1), and circuits of gates that say the same.

Each circuit was found by a search of our own; ``seed`` is where it began.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import attrs

__all__ = ["INPUTS", "TABLES", "Circuit", "circuits"]

#: Inputs of an S-box, the first the highest bit; wires are counted on from here.
INPUTS: Final = 6

#: The eight S-boxes: four rows of sixteen hexadecimal digits each.
TABLES: Final = (
    "E4D12FB83A6C5907 0F74E2D1A6CB9538 41E8D62BFC973A50 FC8249175B3EA06D",
    "F18E6B34972DC05A 3D47F28EC01A69B5 0E7BA4D158C6932F D8A13F42B67C05E9",
    "A09E63F51DC7B428 D709346A285ECBF1 D6498F30B12C5AE7 1AD069874FE3B52C",
    "7DE3069A1285BC4F D8B56F03472C1AE9 A690CB7DF13E5284 3F06A1D8945BC72E",
    "2C417AB6853FD0E9 EB2C47D150FA3986 421BAD78F9C5630E B8C71E2D6F09A453",
    "C1AF92680D34E75B AF427C9561DE0B38 9EF528C3704A1DB6 432C95FABE17608D",
    "4B2EF08D3C975A61 D0B7491AE35C2F86 14BDC37EAF680592 6BD814A7950FE23C",
    "D2846FB1A93E50C7 1FD8A374C56B0E92 7B419CE206ADF358 21E74A8DFC90356B",
)

# A gate is two wires and &, | or ^ between them, or ~ and one wire; wires 0 to 5 are the inputs, and the
# first gate makes wire 6. The four numbers at the end are the wires of the outputs, the highest bit first.
_CIRCUITS: Final = (
    (
        174,
        (
            "0^3 ~6 5|7 2^8 0&9 10^7 3&11 12^10 5&13 11^14 4|15 9^16 6^9 11|18 19^9 5|20 18^21 12|17 4|23 "
            "22^24 1|25 17^26 9|12 28^15 17&20 5|30 3^31 4|32 29^33 10^31 35^23 34^35 11&15 5&38 37^39 4&40 "
            "36^41 1|42 34^43 2^7 45|39 9^38 47|39 4&48 46^49 9^31 ~51 43^50 4&53 52^54 1|55 50^56 32^46 "
            "58^12 32|45 60|14 4&61 59^62 23&51 3|34 65^9 4&66 64^67 1|68 63^69 -> 70 57 27 44"
        ),
    ),
    (
        206,
        (
            "~1 4&5 6^7 4|5 0|9 8^10 5&6 9&11 13|5 0&14 12^15 2|16 11^17 7|16 0|19 4^20 7^10 0&11 22^23 "
            "2|24 21^25 3|26 18^27 0^9 29^8 5|15 31^1 2&32 30^33 12^32 ~7 2|36 35^37 3&38 34^39 5&21 41|32 "
            "11|31 0|43 42^44 25^35 46&22 2|47 45^48 14&24 50^31 3|51 49^52 23|34 54^32 7&15 56|12 2|57 "
            "55^58 8^44 60|1 3&61 59^62 -> 63 40 28 53"
        ),
    ),
    (
        410,
        (
            "0^5 1&2 6^7 2^8 9|5 ~10 1&11 10^12 4&13 8^14 0^10 16&8 ~16 1|18 17^19 2&16 21^13 4|22 20^23 "
            "3|24 15^25 1|2 27^8 10&21 20^28 1&30 29^31 4|32 28^33 7|8 35&0 4|0 36^37 3|38 34^39 5^18 1|41 "
            "28^42 12^20 44|8 4&45 43^46 18&45 48&1 21^43 4|50 49^51 3&52 47^53 10&28 2|12 4&56 55^57 17^42 "
            "59^45 2|41 61^5 4&62 60^63 3&64 58^65 -> 26 66 54 40"
        ),
    ),
    (
        63,
        (
            "2|3 0&6 2^7 0|3 9^7 1|10 8^11 3|10 0|12 1|14 13^15 4|16 12^17 3^14 ~19 12|19 1&21 20^22 2&23 "
            "1&24 11^25 4|26 23^27 5&28 18^29 6&12 1|31 10^32 9^20 34^2 4|35 33^36 1^13 38&21 2|39 1|34 "
            "40^41 4&42 39^43 5|44 37^45 5|28 47^18 5^44 49^46 -> 30 48 46 50"
        ),
    ),
    (
        548,
        (
            "0|3 1&6 3^7 4|0 8^9 1|8 0^6 ~12 4&13 11^14 2&15 10^16 0&4 18^15 8^15 20|3 2|21 19^22 5|23 "
            "17^24 1^3 10&26 4|27 26^28 1^6 30&0 4|31 0^32 2|33 29^34 3|33 36^13 0|27 2|38 37^39 5|40 35^41 "
            "32|42 43&11 30&40 45^25 2&46 44^47 19&21 4|30 50^15 2|51 49^52 5&53 48^54 0&21 56^29 10&37 "
            "58^7 2&59 57^60 25^56 62|31 46^57 2&64 63^65 5&66 61^67 -> 68 25 42 55"
        ),
    ),
    (
        143,
        (
            "1^5 4^5 0|7 6^8 ~4 4|6 11&5 0|12 10^13 3&14 9^15 9&13 ~17 0|18 15^19 5|9 21^14 3|22 20^23 2|24 "
            "16^25 0^11 27^19 12&17 16|21 0|30 29^31 3&32 28^33 5|14 35&22 2|36 34^37 12|20 39&19 5&28 "
            "41^14 3|42 40^43 1&8 45|37 14&41 47^7 3|48 46^49 2|50 44^51 6^10 53^0 39|46 55^45 3&56 54^57 "
            "0|42 59&9 28|36 61^17 3|62 60^63 2&64 58^65 -> 52 66 38 26"
        ),
    ),
    (
        0,
        (
            "2^3 6^4 3&4 1|8 7^9 8|10 11^3 2&3 1|13 12^14 5&15 10^16 6^17 4|17 1&19 18^20 4|12 1|18 22^23 "
            "5|24 21^25 0&26 17^27 3^8 1|29 10^30 10^15 32&2 5|33 31^34 10^22 1|36 2^37 29|33 39^7 5|40 "
            "38^41 0&42 35^43 ~35 17|24 46&1 5&47 45^48 26^42 33^42 51^32 5&52 50^53 0|54 49^55 12|20 57^39 "
            "10^57 59&7 5|60 58^61 53&60 0|63 62^64 -> 44 56 28 65"
        ),
    ),
    (
        348,
        (
            "1^3 ~6 1|2 0|8 7^9 1&6 0|11 2^12 4|13 10^14 1|13 16&3 0&17 4^18 0&13 ~20 4&21 19^22 5|23 15^24 "
            "8^15 26^11 0^26 28^2 4&29 27^30 3|27 32^8 4|29 33^34 5&35 31^36 13^17 ~38 0&25 39^40 6&29 "
            "42^40 4|43 41^44 31^45 ~46 5&47 45^48 25&33 4|50 28^51 32|37 0&37 53^54 15^35 56^41 4|57 55^58 "
            "5&59 52^60 -> 49 25 61 37"
        ),
    ),
)


@attrs.frozen(kw_only=True)
class Circuit:
    """Gates that compute one S-box: each a sign and two wires, the second once more for ``~``.

    ``outputs`` are the wires of its four bits, the highest first.
    """

    gates: tuple[tuple[str, int, int], ...]
    outputs: tuple[int, ...]
    seed: int


@cache
def circuits() -> tuple[Circuit, ...]:
    """Return the circuits of the eight S-boxes."""
    return tuple(_read(seed, text) for seed, text in _CIRCUITS)


def _read(seed: int, text: str) -> Circuit:
    gates, _, outputs = text.partition(" -> ")
    return Circuit(
        gates=tuple(map(_gate, gates.split())), outputs=tuple(map(int, outputs.split())), seed=seed
    )


def _gate(word: str) -> tuple[str, int, int]:
    if word.startswith("~"):
        return "~", int(word[1:]), int(word[1:])
    sign = next(one for one in word if one in "&|^")
    left, _, right = word.partition(sign)
    return sign, int(left), int(right)
