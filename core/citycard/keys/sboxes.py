"""The S-boxes of DES (FIPS 46-3, appendix 1), and circuits of gates that say the same.

``citycard.keys.minimise`` found the circuits; ``seed`` is where it found each.
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
        1038,
        (
            "2&5 6^0 2|5 4&8 7^9 7&10 11^5 5&11 4|13 12^14 3|15 10^16 2^15 18&7 4|19 12^20 0^11 22|21 3&23 "
            "21^24 1|25 17^26 0^21 0^9 4&29 28^30 ~22 27|30 4&33 32^34 3|35 31^36 10^37 38&2 18^21 40&35 "
            "3&41 39^42 1|43 37^44 8^32 46^27 21|43 ~48 3&49 47^50 23^40 52^8 21^38 54|5 3&55 53^56 1&57 "
            "51^58 28^52 2^46 61^57 3&62 60^63 37|59 18^33 66^5 3|67 65^68 1|69 64^70 -> 45 59 71 27"
        ),
    ),
    (
        265,
        (
            "2|5 6^3 ~5 1|8 7^9 3&5 11^2 7&8 1&13 12^14 4&15 10^16 1&5 18|11 ~12 2^6 1|21 20^22 4|23 19^24 "
            "0&25 17^26 2^8 1&3 28^29 21^26 4&31 30^32 1&6 7^30 35^5 4&36 34^37 0|38 33^39 3|21 41^23 9^28 "
            "43&7 4|44 42^45 17|41 47^38 35|42 49^46 4|50 48^51 0&52 46^53 23&36 55|44 2|20 4&57 56^58 4&14 "
            "~60 0&61 59^62 -> 40 63 54 27"
        ),
    ),
    (
        1168,
        (
            "4^5 6^0 0|4 2&8 7^9 0&6 11^4 3|12 10^13 4^8 15&10 6^14 2&17 1^18 3|19 16^20 1&21 14^22 6&8 ~24 "
            "2|11 25^26 0|10 28&23 2|29 9^30 3|31 27^32 27&33 34^10 10&12 36^5 3&37 35^38 1&39 33^40 2|4 "
            "42^7 7^28 44|37 3&45 43^46 5&47 48^36 16|26 3|50 49^51 1&52 47^53 2^7 ~55 23|44 ~57 3|58 56^59 "
            "15^54 61|33 16|36 3|63 62^64 1|65 60^66 -> 67 54 41 23"
        ),
    ),
    (
        29,
        (
            "0^4 ~6 4|7 2&8 7^9 3|4 10^11 7^12 13|0 2^14 3&15 14^16 1&17 12^18 4&13 13|15 3|21 20^22 13&17 "
            "1|24 23^25 5&26 19^27 0^20 26^29 3&30 29^31 24|26 33^10 1&34 32^35 7|24 37^23 0^32 39&34 1|40 "
            "38^41 5|42 36^43 26^28 45^5 5^44 47^42 -> 48 44 46 28"
        ),
    ),
    (
        203,
        (
            "~0 5|6 3&7 6^8 5|8 10^3 2|11 9^12 5|11 7^10 2|15 14^16 4&17 13^18 0|9 0&3 2|21 20^22 11|21 ~7 "
            "2|25 24^26 4|27 23^28 1|29 19^30 7^23 32^14 0^2 34&24 4|35 33^36 6^17 38|3 1&39 37^40 17^21 "
            "17&19 43^20 4&44 42^45 13&15 5^10 48^44 4|49 47^50 1&51 46^52 32|53 41^42 2&55 54^56 5^23 58^9 "
            "4|59 57^60 37|43 62^34 3&54 64^49 4&65 63^66 1|67 61^68 -> 69 41 53 31"
        ),
    ),
    (
        1064,
        (
            "~4 1&4 0|7 6^8 0^1 10&4 5|11 9^12 1|11 5&11 14^15 3|16 13^17 10^12 19&0 0|6 5&20 21^22 3|23 "
            "20^24 2&25 18^26 7|19 0^13 5|29 28^30 18&28 3|32 31^33 10^20 35^9 2|36 34^37 0^4 9|34 5&40 "
            "39^41 8^34 43|27 3&44 42^45 9|42 47^28 41^44 49&6 3&50 48^51 2|52 46^53 42^52 21|42 56^0 3|57 "
            "55^58 ~36 60&14 1&31 3&62 61^63 2|64 59^65 -> 54 27 38 66"
        ),
    ),
    (
        53,
        (
            "1&3 6^4 ~1 3&7 8^9 2&10 7^11 2^11 ~13 5&14 12^15 1|3 17|4 4&8 2|19 18^20 9^16 5|22 21^23 0&24 "
            "16^25 ~12 6^10 2|28 9^29 5&30 27^31 3^13 2|1 33^34 10^21 36|8 5&37 35^38 0|39 32^40 17&34 "
            "42^22 6&9 44|13 5&45 43^46 24^38 48&43 5&49 0^50 0&51 47^52 17^45 54^23 39&54 56^14 5&57 55^58 "
            "24^35 13^48 61^59 5&62 60^63 0&64 59^65 -> 26 41 66 53"
        ),
    ),
    (
        385,
        (
            "0|3 4|6 3^7 ~4 9|0 2&10 8^11 4^10 13|2 1&14 12^15 3|4 17&0 11|16 2|6 19^20 1&21 18^22 5&23 "
            "16^24 0^4 2&17 26^27 10&16 2|29 8^30 1|31 28^32 10^16 34|3 3^4 23&33 2|37 36^38 1|39 35^40 "
            "5|41 33^42 16^26 33^41 45^23 1|46 44^47 33^48 49&18 5|50 48^51 21^52 53&6 6^52 55|29 1&56 "
            "54^57 5|58 45^59 -> 60 52 25 43"
        ),
    ),
)


@attrs.frozen(kw_only=True)
class Circuit:
    """Gates that compute one S-box: each a sign and two wires, the second once more for ``~``.

    ``outputs`` are the wires of its four bits, the highest first, and ``seed`` finds it again.
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
