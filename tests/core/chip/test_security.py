"""Challenges, authentication, PIN, line protection, and keys that are replaced."""

from __future__ import annotations

from citycard.keys.cipher import tdes


def authenticate(desk, key, index=0):
    challenge = desk.ok("0084000008")
    return desk.send(b"\x00\x82\x00" + bytes((index, 8)) + tdes(key, challenge))


def test_a_challenge_is_good_for_the_next_command_only(desk, issuing):
    key = issuing["keys"].authentication
    challenge = desk.ok("0084000008")
    desk.balance()
    late = b"\x00\x82\x00\x00\x08" + tdes(key, challenge)
    assert desk.send(late).hex() == "6984"
    assert authenticate(desk, key).hex() == "9000"
    assert desk.send(late).hex() == "6984"


def test_three_wrong_authentications_lock_the_key(desk, issuing):
    wrong = bytes(16)
    assert [authenticate(desk, wrong).hex() for _ in range(4)] == ["63c2", "63c1", "63c0", "6983"]
    assert authenticate(desk, issuing["keys"].authentication).hex() == "6983"


def test_a_right_authentication_gives_back_the_tries(desk, issuing):
    right = issuing["keys"].authentication
    answers = [authenticate(desk, key).hex() for key in (bytes(16), bytes(16), right, bytes(16))]
    assert answers == ["63c2", "63c1", "9000", "63c2"]


def test_a_missing_key_is_not_found(desk):
    desk.ok("0084000008")
    assert desk.status("0082000708" + "00" * 8) == "6A88"
    assert desk.status("0020000702" + "1234") == "6A88"
    assert desk.status("0088000708" + "00" * 8) == "6A88"


def test_the_pin_locks_after_three_and_a_reset_does_not_help(desk):
    wrong, right = b"\x00\x20\x00\x00\x06000000", b"\x00\x20\x00\x00\x06123456"
    assert desk.status(wrong) == "63C2"
    assert desk.status(wrong) == "63C1"
    desk.select()
    assert desk.status(wrong) == "63C0"
    assert desk.status(right) == "6983"


def test_public_data_is_not_written_without_the_maintenance_key(desk, issuing):
    assert desk.status("00D6950001FF") == "6900"
    assert desk.status("04D6950005FF00000000") == "6984"
    assert desk.status("04D6950001FF") == "6987"
    assert desk.protected("04D69500", b"\x11", bytes(16)).hex() == "6988"
    assert desk.protected("04D69500", b"\x11", issuing["keys"].maintenance).hex() == "9000"
    assert desk.ok("00B0950001").hex() == "11"


def test_three_wrong_macs_lock_the_application_for_good(desk, issuing):
    desk.load(100)
    answers = [desk.protected("04D69500", b"\x11", bytes(16)).hex() for _ in range(3)]
    assert answers == ["6988", "6988", "9303"]
    assert desk.status("805C000204") == "9303"
    desk.chip.power_on()
    assert desk.status("00A4040008A00000063201010500") == "9000"
    assert desk.init(1, 1).hex() == "9303"
    assert desk.chip.clone().image() == desk.chip.image()


def test_a_right_mac_in_between_keeps_the_application_open(desk, issuing):
    right = issuing["keys"].maintenance
    keys = (bytes(16), bytes(16), right, bytes(16), bytes(16), right)
    answers = [desk.protected("04D69500", b"\x11", key).hex() for key in keys]
    assert answers == ["6988", "6988", "9000", "6988", "6988", "9000"]


def test_nobody_writes_the_card_of_a_passenger(desk):
    purchase_key = "3EF0F20100" + "00" * 16
    assert desk.status("80D43E0115" + purchase_key) == "6982"
    assert desk.status("80D4010515" + purchase_key) == "6982"
    assert desk.status("80E0000307280004F0F0FFFF") == "6982"
    assert desk.status("800E000000") == "6982"
    assert desk.status("00E200F430" + "00" * 48) == "6982"
    assert desk.status("00DC01D480" + "27017D" + "00" * 125) == "6900"
    assert desk.status("00E200C417" + "00" * 23) == "6982"
    desk.chip.power_on()
    assert desk.status("800E000000") == "6982"
    assert desk.status("80E0000307280004F0F0FFFF") == "6982"


def test_a_verified_pin_does_not_open_what_authentication_opens(desk):
    assert desk.status(b"\x00\x20\x00\x00\x06123456") == "9000"
    assert desk.status("80D43E0115" + "3EF0F20100" + "00" * 16) == "6982"
    assert desk.status("800E000000") == "6982"


def test_a_new_purchase_key_stands_beside_the_old_one(desk, issuing):
    assert authenticate(desk, issuing["keys"].authentication).hex() == "9000"
    assert desk.status("80D4010215" + "3EF0F20200" + "AB" * 16) == "9000"
    assert desk.status("80D4010215" + "3EF0F20200" + "AB" * 16) == "6A86"
    assert [desk.init(1, 0, key_index=index)[9] for index in (1, 2)] == [1, 2]
    desk.key = b"\xab" * 16
    assert desk.debit(desk.init(1, 0, key_index=2), 0, 6)[-2:].hex() == "9000"


def test_keys_keep_their_kind_and_length(desk, issuing):
    assert authenticate(desk, issuing["keys"].authentication).hex() == "9000"
    assert desk.status("80D43E0115" + "3FF0F20200" + "AB" * 16) == "6981"
    assert desk.status("80D43E010D" + "3EF0F20200" + "AB" * 8) == "6700"
    assert desk.status("80D43E0714" + "3EF0F20200" + "AB" * 15) == "6700"
    assert desk.status("80D43E0715" + "3EF0F20200" + "AB" * 16) == "6A88"
    assert desk.status("80D4010715" + "1EF0F20200" + "AB" * 16) == "6A80"


def test_leaving_and_entering_a_directory_takes_its_status_away(desk, issuing):
    desk.chip.power_on()
    key = issuing["keys"].authentication
    create = "80E0000707280004F0F0FFFF"
    assert authenticate(desk, key).hex() == "9000"
    desk.ok("00A4040008A000000632010105")
    desk.ok("00A40000023F00")
    assert desk.status(create) == "6982"
    assert authenticate(desk, key).hex() == "9000"
    assert desk.status(create) == "9000"
    desk.ok("00A40000020007")
    desk.ok("00A40000023F00")
    assert desk.status(create.replace("0007", "0008", 1)) == "6982"
