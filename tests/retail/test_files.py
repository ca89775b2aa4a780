import pytest

from citycard_retail.errors import FileLineInvalid
from citycard_retail.files import APPLICATION_COLUMNS, PRODUCT_COLUMNS, read_applications, read_products
from citycard_retail.market import Market
from citycard_retail.settings import RetailSettings

MART = "harbour-mart,Harbour Mart,supermarket,,,,6200990100000300001,CITYCNBJXXX,Mrs Chen,2"
RICE = "rice,Rice 5 kg,大米,39.90,120,yes"


def written(tmp_path, columns, *lines):
    path = tmp_path / "given.csv"
    path.write_text("\r\n".join([",".join(columns), *lines]) + "\r\n", encoding="utf-8")
    return path


def test_a_file_of_applications_is_read_and_has_the_same_ids_again(tmp_path):
    path, market = written(tmp_path, APPLICATION_COLUMNS, MART), Market(None, RetailSettings())
    (wish,) = read_applications(market, path)
    assert (wish.partner, wish.category, wish.terminals) == ("harbour-mart", "supermarket", 2)
    assert read_applications(market, path) == [wish]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (MART.replace(",supermarket,", ",zoo,"), "category"),
        (MART.replace(",supermarket,,", ",supermarket,hotel,"), "tier"),
        (MART.replace("CITYCNBJXXX", "BANK"), "bank_bic"),
        (MART.replace(",2", ",-1"), "terminals"),
        (MART.replace(",2", ",201"), "terminals"),
        (MART.replace("Harbour Mart", " "), "name"),
        (MART.replace("harbour-mart", "No Good"), "id"),
        (MART + ",more", "row"),
        ('"' + MART, "row"),
    ],
)
def test_a_line_that_is_no_application_is_told(tmp_path, line, field):
    path = written(tmp_path, APPLICATION_COLUMNS, MART, line)
    with pytest.raises(FileLineInvalid, match=rf"given\.csv, line 3, {field}: .*nothing was taken"):
        read_applications(Market(None, RetailSettings()), path)


def test_a_file_of_products_is_read(tmp_path):
    (rice,) = read_products(written(tmp_path, PRODUCT_COLUMNS, RICE, ""))
    assert (rice.sku, rice.title_zh, rice.price_fen, rice.stock, rice.on_sale) == (
        "rice",
        "大米",
        3_990,
        120,
        True,
    )


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (RICE.replace("39.90", "39.901"), "price"),
        (RICE.replace("39.90", "0"), "price"),
        (RICE.replace("39.90", "-1"), "price"),
        (RICE.replace("120", "many"), "stock"),
        (RICE.replace("120", "1000001"), "stock"),
        (RICE.replace("yes", "maybe"), "on_sale"),
        (RICE.replace("rice,", ",", 1), "sku"),
        (RICE.replace("大米", "米" * 101), "title_zh"),
        (RICE.replace(",yes", ""), "row"),
    ],
)
def test_a_line_that_is_no_product_is_told(tmp_path, line, field):
    with pytest.raises(FileLineInvalid, match=rf"line 2, {field}: "):
        read_products(written(tmp_path, PRODUCT_COLUMNS, line))


@pytest.mark.parametrize("content", [b"", b"sku;title\r\n", b"\xff\xfe", b"x" * (16 * 1024 * 1024 + 1)])
def test_what_is_no_such_file_is_told(tmp_path, content):
    path = tmp_path / "given.csv"
    path.write_bytes(content)
    with pytest.raises(FileLineInvalid, match="line 1"):
        read_products(path)
