"""The page of a report, and its pictures as files."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from focalcore.evaluation import FileReport, FocalReport
from focalcore.evaluation.readers import Taken
from focalcore.evaluation.renderings.html import PAGE, html_of

from .helpers import contrast, fails

rng = np.random.default_rng(3)
BAD_NAMES = ["<script>alert(1)</script>", "a \"b\" & 'c'", "$gamma$", "two\nlines", "\ud800\x00"]
VOID = {"meta", "br"}


def report(task="multi-class", gammas=(0.0, 2.0), **options):
    made = FocalReport(task, gammas, **options)
    shape = (40,) if task == "binary" else (40, 5)
    targets = rng.integers(0, 2, shape) if task != "multi-class" else rng.integers(0, 5, 40)
    made.update(rng.normal(size=shape), targets)
    return made


def of_file(sums, name="predictions.csv"):
    taken = Taken(tuple(BAD_NAMES), ("label",), None, ("id",))
    found = {f.name: getattr(sums.compute(), f.name) for f in dataclasses.fields(sums.compute())}
    return FileReport(file=name, files=1, one_hot=False, taken=taken, **found)


def pictures(sums):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from focalcore.plot import svg_pictures

    return svg_pictures(sums)


class Page(HTMLParser):
    """The elements of a page: their tags and attributes, and the texts in them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append((self.open[-1] if self.open else "", text))

    def of(self, tag):
        return [attributes for found, attributes in self.elements if found == tag]

    def texts_of(self, tag):
        return [text for found, text in self.texts if found == tag]

    def values(self, name):
        return [a[name] for _, a in self.elements if name in a]


@pytest.fixture(scope="module", params=["binary", "multi-class", "multi-label"])
def page(request):
    sums = report(request.param)
    return Page(html_of(of_file(sums), pictures(sums)))


class TestPage:
    def test_it_is_whole(self, page):
        assert page.open == []
        assert page.of("html") == [{"lang": "en"}]
        headings = [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert headings == ["h1", "h2", "h2", "h2"]

    def test_it_needs_nothing_beside_it(self, page):
        tags = {tag for tag, _ in page.elements}
        assert tags.isdisjoint({"script", "link", "img", "iframe", "image", "object"})
        assert all(href.startswith("#") for href in page.values("href"))
        assert not page.values("src")
        (policy,) = (m["content"] for m in page.of("meta") if "http-equiv" in m)
        assert policy == "default-src 'none'; style-src 'unsafe-inline'"

    def test_what_refers_to_a_part_finds_one_of_that_name(self, page):
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        clips = [re.findall(r"url\(#(.*?)\)", a) for a in page.values("clip-path")]
        named = [*page.values("aria-labelledby"), *(h[1:] for h in page.values("href"))]
        assert {*named, *(name for names in clips for name in names)} <= set(ids)

    def test_who_does_not_see_it_is_told_what_there_is(self, page):
        assert len(page.of("caption")) == len(page.of("table")) == 3
        assert {cell["scope"] for cell in page.of("th")} == {"col", "row"}
        assert all({"role", "aria-labelledby"} <= set(svg) for svg in page.of("svg"))
        assert len(page.of("svg")) == len(page.of("figcaption")) > 0

    def test_pictures_have_no_ground_and_the_colour_of_text(self, page):
        styles = " ".join(page.values("style"))
        assert "currentColor" in styles
        colours = set(re.findall(r"#[0-9a-f]{6}", styles.lower()))
        assert colours <= {"#0072b2", "#d55e00", "#009e73", "#cc79a7"}
        assert "font-family" not in styles

    def test_it_has_the_numbers_of_the_report(self):
        sums = report()
        cells = Page(html_of(of_file(sums))).texts_of("td")
        for score in sums.compute().losses:
            numbers = (score.focal_loss, score.modulating_factor, score.log_loss)
            assert {f"{x:.6g}" for x in numbers} <= set(cells)
            assert {f"{x:.1%}" for x in score.hardest.values()} <= set(cells)
            assert {f"{c.share:.1%}" for c in score.classes} <= set(cells)

    def test_no_name_is_taken_for_a_part_of_it(self):
        sums = report(class_names=BAD_NAMES)
        text = html_of(of_file(sums, "<img src=x onerror=y>.csv"), pictures(sums))
        page = Page(text)
        assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img"})
        assert f"0: {BAD_NAMES[0]}" in "".join(text for _, text in page.texts)
        assert "Focal loss of <img src=x onerror=y>.csv" in "".join(page.texts_of("title"))
        assert "$gamma$" in page.texts_of("text")
        text.encode("utf-8")

    def test_without_pictures_there_is_no_section_of_them(self):
        page = Page(html_of(of_file(report())))
        assert page.texts_of("h2") == ["Losses", "Classes"]
        assert not page.of("svg")

    def test_a_report_of_no_file_has_a_page_too(self):
        page = Page(html_of(report("binary").compute()))
        assert page.texts_of("title") == ["Focal loss"]
        assert "file" not in page.texts_of("dt")

    @pytest.mark.parametrize("scheme", ["light", "dark", "print"])
    def test_text_is_read_in_every_light(self, scheme):
        """The guidelines ask of text a contrast of 4.5."""
        light, dark, on_paper = re.findall(r":root \{(.*?)\}", PAGE.read_text("utf-8"))
        rule = {"light": light, "dark": dark, "print": on_paper}[scheme]
        found = {n: c.ljust(7, c[-1]) for n, c in re.findall(r"--(\w+): (#[0-9a-f]+)", rule)}
        assert contrast(found["ground"], found["ink"]) >= 4.5
        assert contrast(found["ground"], found["quiet"]) >= 4.5


class TestPictures:
    @pytest.fixture(autouse=True)
    def _matplotlib(self):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")

    @pytest.mark.parametrize(
        ("task", "names"),
        {
            "binary": ["cumulative-loss-positives", "cumulative-loss-negatives", "confidence"],
            "multi-class": ["cumulative-loss-rows"],
            "multi-label": ["cumulative-loss-positives", "cumulative-loss-negatives", "confidence"],
        }.items(),
    )
    def test_files_are_there_as_a_whole(self, task, names, tmp_path):
        from focalcore.plot import write_pictures

        folder = tmp_path / "new" / "folder"
        files = write_pictures(report(task), folder)
        assert [file.stem for file in files] == ["class-loss", *names, "loss-curve"]
        assert sorted(folder.iterdir()) == sorted(files)
        assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)

    def test_what_has_no_shares_has_no_picture_of_them(self, tmp_path):
        from focalcore.plot import write_pictures

        sums = FocalReport("binary")
        sums.update([-np.inf], [1])
        names = [file.stem for file in write_pictures(sums, tmp_path)]
        assert names == ["confidence", "loss-curve"]

    def test_a_folder_that_can_not_be_made_is_left_alone(self, tmp_path):
        from focalcore.plot import write_pictures

        file = tmp_path / "file"
        file.write_text("here")
        with pytest.raises(OSError, match="file"):
            write_pictures(report(), file)
        assert file.read_text() == "here"

    def test_a_style_of_the_user_changes_nothing(self):
        from matplotlib import rcParams, style

        sums = report()
        expected = pictures(sums)
        with style.context(["dark_background", {"font.size": 30, "axes.titlesize": 3}]):
            before = dict(rcParams)
            assert pictures(sums) == expected
            assert dict(rcParams) == before

    def test_a_report_without_batches_has_none(self):
        with fails(ValueError, "targets of a weight above 0"):
            pictures(FocalReport("binary"))
