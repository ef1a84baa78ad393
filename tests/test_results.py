"""What the command line writes beside the table: examples, comparisons, pages, and its verdict."""

import json
import os
import signal
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from focalcore import sigmoid_focal_loss, softmax_focal_loss
from focalcore.evaluation import Names, Opening, Place, Reading, evaluate
from focalcore.evaluation.comparison import GROUPS, Comparison
from focalcore.evaluation.renderings.whole_file import whole_file

from .helpers import same


@pytest.fixture
def binary(tmp_path, rng):
    x, y = rng.normal(size=300), rng.integers(0, 2, 300)
    np.savez(tmp_path / "a.npz", logits=x, targets=y)
    return tmp_path / "a.npz", x, y


@pytest.fixture
def rows(tmp_path, rng):
    x, y = rng.normal(size=(300, 4)), rng.integers(0, 4, 300)
    np.savez(tmp_path / "rows.npz", logits=x, targets=y)
    return tmp_path / "rows.npz", x, y


def table(path, **columns):
    pa.parquet.write_table(pa.table(columns), path)
    return path


class TestHardest:
    def test_they_are_those_of_the_largest_loss(self, report, binary):
        file, x, y = binary
        found = report(file, "--hardest", 7, "--chunk-rows", 16)["hardest"]
        loss = sigmoid_focal_loss(x, y)
        hardest = np.argsort(-loss)[:7]
        assert [each["name"] for each in found] == [str(i) for i in hardest]
        np.testing.assert_allclose([each["focal_loss"] for each in found], loss[hardest])
        assert [each["target"] for each in found] == [str(y[i]) for i in hardest]

    def test_the_probability_is_that_of_the_target(self, report, rows):
        file, x, y = rows
        (found,) = report(file, "--hardest", 1)["hardest"]
        i = np.argmax(softmax_focal_loss(x, y))
        assert found["p_t"] == pytest.approx(np.exp(x[i, y[i]]) / np.exp(x[i]).sum(), rel=1e-12)

    def test_they_are_called_by_their_ids(self, report, tmp_path):
        file = table(tmp_path / "a.parquet", image=["cat", "dog"], logit=[3.0, -3.0], label=[1, 1])
        (found,) = report(file, "--hardest", 1, "--id", "image")["hardest"]
        assert found["name"] == "dog"

    def test_what_is_ignored_is_not_hard(self, report, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[-9.0, 1.0], targets=[7, 1])
        (found,) = report(tmp_path / "a.npz", "--ignore-index", 7, "--hardest", 5)["hardest"]
        assert found["name"] == "1"

    def test_an_example_of_several_targets_has_the_sum_of_their_losses(self, report, tmp_path, rng):
        x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, (20, 3))
        np.savez(tmp_path / "a.npz", logits=x, targets=y)
        (found,) = report(tmp_path / "a.npz", "--task", "multi-label", "--hardest", 1)["hardest"]
        loss = sigmoid_focal_loss(x, y).sum(axis=1)
        assert found["focal_loss"] == pytest.approx(loss.max(), rel=1e-12)
        assert (found["name"], found["target"]) == (str(np.argmax(loss)), None)


class TestPerExample:
    def test_each_example_has_its_loss(self, evaluated, binary, tmp_path):
        file, x, y = binary
        out = tmp_path / "out.parquet"
        assert evaluated(file, "--gamma", "0,2", "--chunk-rows", 70, "--per-example", out)[0] == 0
        found = pa.parquet.read_table(out)
        assert found.column_names[2:] == ["focal_loss_gamma_0", "focal_loss_gamma_2"]
        np.testing.assert_array_equal(found["focal_loss_gamma_2"], sigmoid_focal_loss(x, y))
        assert found["example"].to_pylist() == [str(i) for i in range(300)]

    def test_what_is_ignored_has_none(self, evaluated, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[-9.0, 0.0], targets=[7, 1])
        out = tmp_path / "out.parquet"
        evaluated(tmp_path / "a.npz", "--ignore-index", 7, "--gamma", 0, "--per-example", out)
        found = pa.parquet.read_table(out)["focal_loss_gamma_0"].to_pylist()
        assert found == [None, pytest.approx(np.log(2))]

    def test_nothing_is_left_of_a_run_that_fails(self, evaluated, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[1.0] * 100, targets=[1] * 99 + [2])
        out = tmp_path / "out.parquet"
        code, _, err = evaluated(tmp_path / "a.npz", "--chunk-rows", 10, "--per-example", out)
        assert code == 3
        assert "row 99" in err
        assert not list(tmp_path.glob("out*"))


class TestCompare:
    def test_differences_are_those_of_the_means(self, report, rows, tmp_path, rng):
        file, x, y = rows
        other = x + rng.normal(size=x.shape)
        np.savez(tmp_path / "b.npz", logits=other, targets=y)
        found = report(file, "--compare", tmp_path / "b.npz", "--chunk-rows", 13)["differences"]
        own, theirs = softmax_focal_loss(x, y), softmax_focal_loss(other, y)
        assert [each["name"] for each in found] == ["all", "0", "1", "2", "3"]
        for each, kept in zip(found, [y >= 0, *(y == c for c in range(4))], strict=True):
            difference = own[kept].mean() - theirs[kept].mean()
            assert each["difference"] == pytest.approx(difference, rel=1e-10)
            assert each["interval"][0] < each["difference"] < each["interval"][1]

    def test_the_interval_is_as_wide_as_the_law_of_large_numbers_says(self, report, rows, tmp_path):
        """Of a mean of n differences it is 1.96 of their deviation over the root of n, each way."""
        file, x, y = rows
        np.savez(tmp_path / "b.npz", logits=x[::-1], targets=y)
        (whole, *_) = report(file, "--compare", tmp_path / "b.npz")["differences"]
        each = softmax_focal_loss(x, y) - softmax_focal_loss(x[::-1], y)
        width = 2 * 1.96 * each.std() / np.sqrt(len(each))
        least, most = whole["interval"]
        assert most - least == pytest.approx(width, rel=0.1)

    def test_groups_of_examples_give_the_interval_of_examples(self, report, tmp_path, rng):
        n = 20 * GROUPS
        x, y = rng.normal(size=n), rng.integers(0, 2, n)
        np.savez(tmp_path / "a.npz", logits=x, targets=y)
        np.savez(tmp_path / "b.npz", logits=-x, targets=y)
        (whole, *_) = report(tmp_path / "a.npz", "--compare", tmp_path / "b.npz")["differences"]
        each = sigmoid_focal_loss(x, y) - sigmoid_focal_loss(-x, y)
        least, most = whole["interval"]
        assert most - least == pytest.approx(2 * 1.96 * each.std() / np.sqrt(n), rel=0.1)

    @pytest.mark.parametrize(
        ("targets", "word"),
        [([1, 0], "fewer rows"), ([1, 0, 0, 0], "more rows"), ([1, 1, 0], "row 1")],
        ids=["fewer", "more", "others"],
    )
    def test_other_rows_are_refused(self, refusal, tmp_path, targets, word):
        np.savez(tmp_path / "a.npz", logits=[1.0, 2, 3], targets=[1, 0, 0])
        np.savez(tmp_path / "b.npz", logits=np.ones(len(targets)), targets=targets)
        assert word in refusal(3, tmp_path / "a.npz", "--compare", tmp_path / "b.npz")

    def test_two_models_that_are_one_do_not_differ(self, report, binary):
        (whole, *_) = report(binary[0], "--compare", binary[0])["differences"]
        assert (whole["difference"], whole["interval"]) == (0.0, [0.0, 0.0])

    def test_rows_that_the_other_lacks_are_left_out_of_both(self, report, tmp_path):
        own = table(tmp_path / "a.parquet", logit=[1.0, 2.0, 3.0], label=[0, 0, 1])
        other = table(tmp_path / "b.parquet", logit=[1.0, None, 3.0], label=[0, 0, 1])
        for one, two in ((own, other), (other, own)):
            (whole, *_) = report(one, "--compare", two, "--na", "ignore")["differences"]
            assert (whole["focal_loss"], whole["difference"]) == (
                pytest.approx(sigmoid_focal_loss([1.0, 3.0], [0, 1]).mean(), rel=1e-12),
                0.0,
            )

    def test_a_class_without_examples_has_no_difference(self, report, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[[1.0, 2, 3], [3, 1, 2]], targets=[0, 1])
        *_, last = report(tmp_path / "a.npz", "--compare", tmp_path / "a.npz")["differences"]
        assert (last["name"], last["difference"], last["interval"]) == ("2", None, None)

    @pytest.mark.parametrize("order", ["ab", "ba"])
    def test_classes_must_be_in_one_order(self, evaluated, tmp_path, order):
        own = table(tmp_path / "a.parquet", logit_a=[1.0, 2], logit_b=[2.0, 1], label=[0, 1])
        columns = {f"logit_{name}": [1.0, 2.0] for name in order}
        other = table(tmp_path / "b.parquet", **columns, label=[0, 1])
        code, _, err = evaluated(own, "--compare", other)
        assert code == (0 if order == "ab" else 3)
        assert ("one order" in err) == (order == "ba")

    def test_several_files_are_not_compared(self, refusal, binary, tmp_path):
        (tmp_path / "many").mkdir()
        for name in "ab":
            np.savez(tmp_path / "many" / f"{name}.npz", logits=binary[1], targets=binary[2])
        assert "--compare takes one file" in refusal(2, binary[0], "--compare", tmp_path / "many")

    def test_what_is_compared_is_not_replaced(self, refusal, binary, tmp_path):
        np.savez(tmp_path / "b.npz", logits=binary[1], targets=binary[2])
        err = refusal(2, binary[0], "--compare", tmp_path / "b.npz", "--json", tmp_path / "b.npz")
        assert "replace" in err

    @pytest.mark.parametrize("name", ["[/red]b.npz", "[bold]b.npz", ":smile:.npz"])
    def test_names_of_files_are_shown_as_they_are(
        self, evaluated, binary, monkeypatch, tmp_path, name
    ):
        monkeypatch.chdir(tmp_path)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.savez(name, logits=binary[1], targets=binary[2])
        code, out, _ = evaluated("a.npz", "--compare", name)
        assert code == 0
        assert f"Compared with {name}" in out

    def test_no_more_than_the_sums_of_groups_is_kept(self, binary):
        opened = Opening(Place(binary[0], "a"), Names(), Reading()).open()
        comparison = Comparison(opened, 2.0, None, 64)
        evaluate([opened], (2.0,), watchers=[comparison.see])
        assert comparison.sums.shape == (3, GROUPS, 2)


class TestVerdict:
    @pytest.mark.parametrize(("factor", "code"), [(1.001, 0), (0.999, 1)], ids=["below", "above"])
    def test_a_loss_above_the_bound_fails(self, evaluated, binary, factor, code):
        file, x, y = binary
        bound = sigmoid_focal_loss(x, y).mean() * factor
        found, out, err = evaluated(file, "--fail-above", bound)
        assert found == code
        assert out
        assert ("--fail-above" in err) == (code == 1)

    def test_the_bound_may_be_that_of_the_sum_for_each_positive(self, evaluated, binary):
        file, x, y = binary
        bound = sigmoid_focal_loss(x, y).sum() / y.sum()
        said = ("--normalizer", "positives", "--fail-above")
        assert evaluated(file, *said, bound * 1.001)[0] == 0
        assert evaluated(file, *said, bound * 0.999)[0] == 1

    def test_an_infinite_loss_is_above_every_bound(self, evaluated, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[-np.inf], targets=[1])
        assert evaluated(tmp_path / "a.npz", "--fail-above", 1e300)[0] == 1


class TestWholeFiles:
    def test_two_runs_may_write_one_file(self, tmp_path):
        with whole_file(tmp_path / "a") as one, whole_file(tmp_path / "a") as other:
            one.write("a long text")
            other.write("short")
        assert (tmp_path / "a").read_text() == "a long text"
        assert [file.name for file in tmp_path.iterdir()] == ["a"]

    def test_a_file_that_is_called_part_is_left_alone(self, evaluated, binary, tmp_path):
        (tmp_path / "out.json.part").write_text("mine")
        assert evaluated(binary[0], "--json", tmp_path / "out.json")[0] == 0
        assert (tmp_path / "out.json.part").read_text() == "mine"

    def test_one_file_is_not_two_results(self, refusal, binary, tmp_path):
        out = tmp_path / "out"
        assert "--json and --html are both" in refusal(2, binary[0], "--json", out, "--html", out)

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
    def test_a_full_disk_is_not_blamed_on_another_file(self, refusal, binary, tmp_path):
        page = tmp_path / "a.html"
        assert "--json /dev/full" in refusal(2, binary[0], "--json", "/dev/full", "--html", page)


def test_a_gamma_that_is_said_twice_is_reported_once(report, binary):
    found = report(binary[0], "--gamma", "1,2,1", "--gamma", 2)
    assert [score["gamma"] for score in found["losses"]] == [1, 2]


def test_a_table_shows_a_thousand_classes(evaluated, tmp_path):
    np.savez(tmp_path / "a.npz", logits=np.zeros((2, 1003)), targets=[0, 1])
    _, out, _ = evaluated(tmp_path / "a.npz")
    assert "and 3 more" in out
    assert " 999 " in out
    assert " 1000 " not in out


class TestPictures:
    def test_a_page_and_pictures_are_written(self, evaluated, binary, tmp_path):
        page, folder = tmp_path / "page.html", tmp_path / "pictures"
        assert evaluated(binary[0], "--html", page, "--plot", folder)[0] == 0
        assert page.read_text().count("<svg") == len(list(folder.glob("*.png"))) == 5

    def test_a_page_of_a_run_that_fails_is_not_there(self, evaluated, tmp_path):
        np.savez(tmp_path / "a.npz", logits=[1.0], targets=[3])
        assert evaluated(tmp_path / "a.npz", "--html", tmp_path / "page.html")[0] == 3
        assert not list(tmp_path.glob("page*"))

    def test_a_folder_that_cannot_be_made_is_told(self, refusal, binary, tmp_path):
        (tmp_path / "file").touch()
        assert "--plot" in refusal(2, binary[0], "--plot", tmp_path / "file")


def parts(folder, n=4):
    """Files of one model, whose rows have other losses in each."""
    draw = np.random.default_rng(5)
    for i in range(n):
        x, y = draw.normal(i, size=(500, 3)), draw.integers(0, 3, 500)
        np.savez(folder / f"part-{i}.npz", logits=x, targets=y, weight=draw.random(500))
    return folder / "part-*.npz"


@pytest.mark.slow
class TestCluster:
    @pytest.fixture(scope="class")
    @staticmethod
    def cluster():
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as made,
            Client(made) as client,
        ):
            yield made, client

    @pytest.mark.filterwarnings("ignore")
    def test_the_report_is_that_of_one_process(self, report, tmp_path, cluster):
        files, said = parts(tmp_path), ("--gamma", "0,2", "--alpha", "1,2,3")
        found = report(files, *said, "--dask", cluster[0].scheduler_address)
        same(found, report(files, *said))

    @pytest.mark.filterwarnings("ignore")
    def test_a_cluster_is_made_here(self, report, tmp_path):
        files = parts(tmp_path, 2)
        same(report(files, "--dask", "local"), report(files))

    @pytest.mark.filterwarnings("ignore")
    def test_bad_data_is_told_with_its_file(self, evaluated, tmp_path, cluster):
        files = parts(tmp_path)
        np.savez(tmp_path / "part-9.npz", logits=np.zeros((5, 3)), targets=[0, 1, 2, 3, 0])
        code, out, err = evaluated(files, "--dask", cluster[0].scheduler_address)
        assert (code, out) == (3, "")
        assert "part-9.npz" in err
        assert "row 3" in err

    @pytest.mark.filterwarnings("ignore")
    def test_a_worker_that_dies_loses_nothing(self, tmp_path, cluster):
        from focalcore.evaluation.cluster import sums_on

        made, client = cluster
        parts(tmp_path, 8)
        paths = sorted(tmp_path.glob("part-*.npz"))
        openings = [Opening(Place(path, path.name), Names(), Reading()) for path in paths]
        dead = []

        def kill_one(_):
            if not dead:
                dead.append(next(iter(client.run(os.getpid).values())))
                os.kill(dead[0], signal.SIGKILL)
                time.sleep(0.1)

        sums = sums_on(made.scheduler_address, openings, (2.0,), None, 50, kill_one)
        assert dead
        _, expected = evaluate([opening.open() for opening in openings], (2.0,))
        same(*(json.loads(json.dumps(each.compute().to_dict())) for each in (sums, expected)))

    def test_no_cluster_is_told(self, refusal, binary):
        import dask

        with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
            assert "--dask tcp://127.0.0.1:9" in refusal(
                3, binary[0], "--dask", "tcp://127.0.0.1:9"
            )

    @pytest.mark.parametrize("option", ["--hardest", "--compare", "--per-example"])
    def test_single_rows_stay_where_they_are(self, evaluated, binary, option):
        value = {"--hardest": 3, "--compare": binary[0]}.get(option, "a.parquet")
        code, _, err = evaluated(binary[0], option, value, "--dask", "local")
        assert code == 2
        assert option in err
