"""The search finds right circuits, and those in ``sboxes`` again."""

import pytest

from citycard.keys.minimise import minimise, table, truth
from citycard.keys.sboxes import INPUTS, TABLES, circuits


@pytest.mark.parametrize("box", range(8))
def test_a_circuit_is_found_again_from_its_seed(box):
    assert circuits()[box] == minimise(TABLES[box], circuits()[box].seed)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_seed_a_circuit_is_right(seed):
    circuit = minimise(TABLES[seed], seed)
    wires = [sum(1 << x for x in range(64) if x >> (INPUTS - 1 - place) & 1) for place in range(INPUTS)]
    for sign, left, right in circuit.gates:
        one, other = wires[left], wires[right]
        wires.append({"&": one & other, "|": one | other, "^": one ^ other, "~": one ^ (1 << 64) - 1}[sign])
    assert [truth(TABLES[seed], bit) for bit in range(4)] == [wires[place] for place in circuit.outputs]


def test_the_table_is_read_as_the_standard_says():
    # FIPS 46-3: input 011011 is row 01, column 1101 of S1, where 0101 stands.
    assert table(TABLES[0])[0b011011] == 0b0101
