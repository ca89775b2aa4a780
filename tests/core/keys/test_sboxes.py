"""Every circuit says what its table says, for all 64 inputs."""

import pytest

from citycard.keys.minimise import table
from citycard.keys.sboxes import INPUTS, TABLES, circuits

BOXES = range(8)


def computed(circuit, x):
    """Return what a circuit makes of six bits, gate by gate."""
    wires = [x >> (INPUTS - 1 - place) & 1 for place in range(INPUTS)]
    for sign, left, right in circuit.gates:
        one, other = wires[left], wires[right]
        wires.append({"&": one & other, "|": one | other, "^": one ^ other, "~": 1 - one}[sign])
    return int("".join(str(wires[place]) for place in circuit.outputs), 2)


@pytest.mark.parametrize("box", BOXES)
def test_a_circuit_computes_its_table(box):
    assert table(TABLES[box]) == [computed(circuits()[box], x) for x in range(64)]


@pytest.mark.parametrize("box", BOXES)
def test_every_row_of_a_table_has_every_value_once(box):
    assert [sorted(row) for row in TABLES[box].split()] == [sorted("0123456789ABCDEF")] * 4


@pytest.mark.parametrize("box", BOXES)
def test_a_circuit_has_no_gate_that_nobody_uses(box):
    circuit = circuits()[box]
    used = {*circuit.outputs, *(wire for gate in circuit.gates for wire in gate[1:])}
    assert used == set(range(INPUTS + len(circuit.gates)))


def test_all_circuits_have_fewer_than_sixty_gates_each_on_average():
    assert sum(len(circuit.gates) for circuit in circuits()) < 8 * 60
