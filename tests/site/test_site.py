"""The site in a browser: what it shows, what it lets one do, and who can use it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import DESKTOP, PHONE, blank, harm, too_wide

ZOO = "networks/index.html"
MAIN = [
    *("index.html", ZOO, "networks/resnet50.html", "networks/lenet5.html", "finetuning.html"),
    *("guides/digits.html", "ideas/pooling.html"),
]


def _names(page: Any) -> list[str]:
    """Networks shown, top to bottom."""
    return page.locator(".zoo tbody tr:visible > th").all_inner_texts()


def _column(page: Any, key: str) -> list[float]:
    """Exact values of a column as shown, where there are any."""
    place = page.evaluate(
        "key => document.querySelector(`.zoo th[data-key=${key}]`).cellIndex", key
    )
    cells = page.locator(f".zoo tbody tr:visible > :nth-child({place + 1})").all()
    values = [cell.get_attribute("data-value") for cell in cells]
    return [float(value) for value in values if value]


def _head(page: Any, key: str) -> Any:
    return page.locator(f'.zoo th[data-key="{key}"]')


def _field(page: Any, name: str) -> Any:
    return page.locator(f'.zoo [name="{name}"]')


def _drawn(page: Any, out: bool = False) -> list[str]:
    """Networks whose points are drawn, plainly or faintly."""
    return page.locator(f'.zoo-canvas a[data-out="{str(out).lower()}"] text').all_text_contents()


# ---- every page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [False, True], ids=["served", "files"])
def test_main_pages_load_without_complaint_or_request_to_elsewhere(visit, files):
    for path in MAIN:
        page = visit(path, files=files)
        assert page.locator("h1").count() == 1
        page.context.close()


@pytest.mark.slow
def test_every_page_loads_fits_a_phone_and_harms_nobody(visit, site):
    paths = [str(path.relative_to(site)) for path in sorted(site.rglob("*.html"))]
    assert len(paths) > 40
    found = []
    for path in paths:
        page = visit(path, viewport=PHONE)
        found += [f"{path} is {wide} pixels too wide" for wide in [too_wide(page)] if wide > 0]
        found += [f"{path} shows nothing of {picture}" for picture in blank(page)]
        found += [f"{path}: {fault}" for fault in harm(page)]
        page.context.close()
    assert found == []


@pytest.mark.parametrize("path", MAIN)
def test_main_page_fits_a_phone(visit, path):
    assert too_wide(visit(path, viewport=PHONE)) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", MAIN)
def test_main_page_has_no_serious_barrier(visit, path, scheme):
    assert harm(visit(path, color_scheme=scheme)) == []


def test_dark_mode_is_dark_and_shows_the_dark_pictures(visit):
    shown = {}
    for scheme in ("light", "dark"):
        page = visit("networks/resnet50.html", color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        picture = page.locator(".diagram img:visible").get_attribute("src")
        shown[scheme] = max(map(int, re.findall(r"\d+", ground)[:3])), picture
    assert shown["light"][0] > 200 > 80 > shown["dark"][0]
    assert [picture for _, picture in shown.values()] == [
        "resnet50-light.svg#only-light",
        "resnet50-dark.svg#only-dark",
    ]


@pytest.mark.parametrize("files", [False, True], ids=["served", "files"])
def test_search_finds_resnext(visit, files):
    page = visit("index.html", files=files)
    # Key by key: the search listens to keys, so what `fill` puts there it may never look at.
    page.locator(".md-search__input").press_sequentially("resnext")
    page.locator(".md-search-result__link", has_text="ResNeXt-50").first.wait_for()


def test_copy_button_of_a_code_block_copies_it(visit):
    page = visit("networks/vgg16.html", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".md-code__button, .md-clipboard").first.click()
    assert 'cnnzoo.build("vgg16")' in page.evaluate("navigator.clipboard.readText()")


def test_guide_can_be_downloaded_and_shows_what_it_drew(visit):
    page = visit("guides/digits.html")
    assert page.locator("img.drawn").count() >= 3
    assert page.locator("img.drawn").evaluate_all("all => all.every(i => i.naturalWidth > 100)")
    with page.expect_download() as found:
        page.get_by_role("link", name="Download this page as a notebook").click()
    assert found.value.suggested_filename == "digits.ipynb"


# ---- the zoo -------------------------------------------------------------------------------------


def test_table_reads_without_javascript(visit):
    page = visit(ZOO, java_script_enabled=False)
    names = _names(page)
    assert {"LeNet-5", "VGG-16", "ResNet-110 (CIFAR)", "AGH MNIST"} <= set(names)
    assert page.locator(".zoo-filters:visible, .zoo-plot:visible").count() == 0
    page.locator(".zoo tbody a", has_text="VGG-16").click()
    assert page.locator("h1").inner_text().startswith("VGG-16")


def test_heading_sorts_then_turns_round_and_says_so(visit):
    page = visit(ZOO)
    head = _head(page, "total_params")
    head.locator("button").click()
    rising = _column(page, "total_params")
    assert rising == sorted(rising)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert _column(page, "total_params") == rising[::-1]
    assert head.get_attribute("aria-sort") == "descending"
    _head(page, "title").locator("button").click()
    assert _names(page)[0] == "AGH CIFAR-10"
    assert page.locator(".zoo th[aria-sort]").count() == 1


def test_networks_without_the_figure_come_last_whichever_way_round(visit):
    for query in ("sort=top1", "sort=top1&reverse=1"):
        page = visit(f"{ZOO}?{query}")
        known = len(_column(page, "top1"))
        assert 0 < known < len(_names(page))
        assert not {"AGH MNIST", "airbench94"} & set(_names(page)[:known])


def test_filters_narrow_the_table_the_count_and_the_plot_together(visit):
    page = visit(ZOO)
    every = len(_names(page))
    _field(page, "max_params").fill("30M")
    _field(page, "min_top1").fill("75")
    _field(page, "dataset").select_option("ImageNet-1k")
    assert _names(page) == ["Inception v3", "Xception", "ResNeXt-50 (32x4d)"]
    assert page.locator(".zoo-status").inner_text() == f"3 of {every} networks"
    assert sorted(_drawn(page)) == sorted(_names(page))
    assert "VGG-16" in _drawn(page, out=True)


@pytest.mark.parametrize(
    ("name", "value", "shown", "gone"),
    [
        ("text", "googlenet szegedy", "Inception v1 (GoogLeNet)", "Xception"),
        ("family", "vgg", "VGG-19", "AlexNet"),
        ("dataset", "CIFAR-10", "ResNet-20 (CIFAR)", "ResNet-50"),
        ("min_year", "2016", "Xception", "VGG-16"),
        ("max_year", "2012", "AlexNet", "Xception"),
        ("max_params", "25,636,712", "ResNet-50", "ResNet-101"),
        ("max_macs", "2g", "ResNet-18", "ResNet-50"),
        ("min_top1", "80", "Inception v4", "Xception"),
    ],
)
def test_each_filter_keeps_what_it_says(visit, name, value, shown, gone):
    page = visit(ZOO)
    field = _field(page, name)
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
    names = _names(page)
    assert shown in names
    assert gone not in names


def test_filter_that_is_no_number_says_so_and_hides_nothing(visit):
    page = visit(ZOO)
    every = len(_names(page))
    _field(page, "max_params").fill("many")
    assert "“many” is no number" in page.locator(".zoo-status").inner_text()
    assert _field(page, "max_params").get_attribute("aria-invalid") == "true"
    assert len(_names(page)) == every


def test_columns_can_be_chosen(visit):
    page = visit(ZOO)
    assert not _head(page, "receptive_field").is_visible()
    page.locator(".zoo summary").click()
    page.locator('.zoo [name="column"][value="receptive_field"]').check()
    page.locator('.zoo [name="column"][value="macs"]').uncheck()
    assert _head(page, "receptive_field").is_visible()
    assert not _head(page, "macs").is_visible()
    assert 483 in _column(page, "receptive_field")


def test_address_is_read(visit):
    page = visit(f"{ZOO}?max_params=30M&sort=top1&reverse=1&columns=macs,top1&x=total_params")
    top1 = _column(page, "top1")
    assert top1 == sorted(top1, reverse=True)
    assert max(_column(page, "total_params")) <= 30e6
    assert not _head(page, "year").is_visible()
    assert _field(page, "x").input_value() == "total_params"
    assert _field(page, "max_params").input_value() == "30M"


def test_address_is_written_and_leads_back_to_the_same(visit, served):
    page = visit(ZOO)
    _field(page, "max_params").fill("30M")
    _field(page, "family").select_option("resnet")
    _head(page, "macs").locator("button").click()
    _field(page, "x").select_option("act_mib")
    shown, address = _names(page), page.url
    assert address.endswith("?family=resnet&max_params=30M&sort=macs&x=act_mib")
    assert _names(visit(address.removeprefix(f"{served}/"))) == shown
    page.locator(".zoo button[type=reset]").click()
    page.wait_for_url(re.compile("index.html\\?x=act_mib$"))
    assert len(_names(page)) > len(shown)


def test_line_that_builds_the_network_can_be_copied(visit):
    page = visit(f"{ZOO}?text=xception", permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name='copy cnnzoo.build("xception")')
    button.click()
    page.wait_for_function("document.querySelector('.zoo-copy:not([hidden])')")
    assert button.inner_text() == "copied"
    assert page.evaluate("navigator.clipboard.readText()") == 'cnnzoo.build("xception")'


def test_plot_shows_one_dataset_and_names_the_point_in_focus(visit):
    page = visit(f"{ZOO}?dataset=CIFAR-10")
    assert "ResNet-20 (CIFAR)" in _drawn(page)
    assert "CIFAR-10" in page.locator(".zoo-caption").inner_text()
    point = page.get_by_role("link", name=re.compile(r"^ResNet-44 \(CIFAR\): 93.1 % at"))
    point.focus()
    assert point.locator("text").evaluate("name => getComputedStyle(name).visibility") == "visible"
    point.press("Enter")
    page.wait_for_url(re.compile("networks/resnet44.html$"))


def test_plot_says_when_there_is_nothing_to_draw(visit):
    page = visit(f"{ZOO}?dataset=Fashion-MNIST")
    assert "No accuracy" in page.locator(".zoo-caption").inner_text()
    assert page.locator(".zoo-canvas a").count() == 0


def test_keyboard_alone_filters_and_sorts(visit):
    page = visit(ZOO)
    _field(page, "text").focus()
    page.keyboard.type("simonyan")
    assert _names(page) == ["VGG-16", "VGG-19"]
    _head(page, "macs").locator("button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert _names(page) == ["VGG-19", "VGG-16"]


def test_wide_table_scrolls_inside_its_own_box(visit):
    every = ",".join(["year", "input", "macs", "source", "train_mib", "act_mib", "top1", "name"])
    for viewport in (PHONE, DESKTOP):
        page = visit(f"{ZOO}?columns={every}", viewport=viewport)
        inside = page.locator(".zoo-box").evaluate("box => box.scrollWidth - box.clientWidth")
        assert inside > 0
        assert too_wide(page) <= 0
