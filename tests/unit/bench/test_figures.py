"""The arithmetic of the benchmarks' tables, and that report and plots are made from it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import report, scores
from bench.kit import plots
from bench.kit.chinese import in_chinese
from bench.kit.figures import Spread, costs, percentile, ratios, spread, steady_rate, work_done


def test_a_ratio_is_taken_within_its_round() -> None:
    """The second round ran on a machine that was half as fast: that changes no ratio."""
    assert ratios([9.0, 4.5], [10.0, 5.0]) == Spread(0.9, 0.9, 0.9)


def test_a_spread_tells_median_and_range() -> None:
    assert str(spread([3.0, 1.0, 2.0])) == "2.00 (1.00–3.00)"
    assert str(spread([0.9333])) == "0.933"


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (99, 10), (100, 10), (1, 1)])
def test_percentiles_are_values_that_were_measured(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(10, 0, -1)], percent) == value


def test_what_was_begun_before_the_end_counts_by_its_share() -> None:
    """Two pictures of 1 and 10 megapixels; the second was half done when the time was up, a third had not begun."""
    done = [(0, 0.0, 1.0, 5), (1, 6.0, 14.0, 5), (0, 11.0, 12.0, 5)]
    assert work_done(done, [1.0, 10.0], 10.0) == 1.0 + 5.0


def test_a_picture_is_as_much_work_as_it_takes_on_the_average() -> None:
    assert costs([(1, 0.0, 3.0, 5), (0, 0.0, 1.0, 5), (1, 3.0, 8.0, 5)]) == [1.0, 4.0]


def test_a_service_that_is_as_fast_as_the_loop_stands_at_one_whatever_the_mix() -> None:
    """Pictures of 1 and 4 s on two cores; the loop did as many of each, the service has more of the small ones."""
    loop = [(0, 0.0, 1.0, 1), (1, 1.0, 5.0, 1), (1, 0.0, 4.0, 1), (0, 4.0, 5.0, 1)]
    service = [*((0, 0.0, float(end), 1) for end in range(1, 9)), (1, 0.0, 4.0, 1), (1, 0.0, 8.0, 1)]
    assert steady_rate(service, costs(loop), 2) / 2 == pytest.approx(1.0)


def measured(name: str, of_bare: float, width: int | None = None) -> dict[str, object]:
    figures = {
        "p50_ms": 1000.0,
        "p95_ms": 1500.0,
        "p99_ms": 2000.0,
        "cpu_of_bare": 1.05,
        "cpu_s_per_1000": 700.0,
        "peak_mib": 300.0,
        "health_p99_ms": 9.0,
    }
    return {"name": name, "width": width, "clients": 4, "of_bare": of_bare, **figures}


def test_what_waits_in_a_queue_counts_for_nothing() -> None:
    """Two workers, a second for each of eight requests that were all sent at once: two a second, and not more."""
    done = [(0, 0.0, 1.0 + number // 2 + number % 2 / 1000, 1) for number in range(8)]
    assert steady_rate(done, [1.0], 2) == pytest.approx(2.0, rel=0.01)
    assert steady_rate(done[:2], [1.0], 2) == 0.0


def test_rounds_become_one_line_with_the_fastest_first() -> None:
    rows = [measured("slow", 0.5), measured("gateway", 0.9), measured("slow", 0.6), measured("gateway", 0.96)]
    lines = report.tables({}, rows, report.HEADS["en"])["convert"].splitlines()
    assert lines[2].startswith("| gateway | Full size | 4 | 0.930 (0.900–0.960) |")
    assert lines[3].startswith("| slow | Full size | 4 | 0.550 (0.500–0.600) |")
    assert all(line.count("|") == lines[0].count("|") for line in lines[:4])
    assert lines[-1] == "![bench-full](../images/bench-full.svg)"


def test_a_plot_has_a_bar_for_each_and_says_its_value(tmp_path: Path) -> None:
    plots.bars(tmp_path / "plot.svg", "A < B", [("gateway", Spread(0.9, 0.8, 1.0)), ("peer", Spread(0.45, 0.4, 0.5))], limit=1.0, ours="gateway")
    drawn = ElementTree.parse(tmp_path / "plot.svg").getroot()
    ours, theirs = (each for each in drawn.iter("{http://www.w3.org/2000/svg}rect") if each.get("class") in ("m", "b"))
    assert float(ours.get("width", 0)) == pytest.approx(2 * float(theirs.get("width", 0)), abs=0.2)
    assert [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")] == ["A < B", "gateway", "0.9", "peer", "0.45"]


def test_a_disturbed_round_counts_only_where_there_is_no_other() -> None:
    rows = [measured("gateway", 0.9), {**measured("gateway", 0.3), "disturbed": True}, {**measured("slow", 0.2), "disturbed": True}]
    lines = report.tables({}, rows, report.HEADS["en"])["convert"].splitlines()
    assert lines[2].startswith("| gateway | Full size | 4 | 0.900 |") and lines[3].startswith("| slow | Full size | 4 | 0.200 |")


def test_what_could_not_be_measured_is_named_and_ends_nothing() -> None:
    rows = [measured("gateway", 0.9), {"name": "Thumbor", "width": None, "error": "not installed"}]
    made = report.tables({}, rows, report.HEADS["en"])["convert"]
    assert "Left out: Thumbor." in made and "| Thumbor" not in made


def test_a_table_of_the_guide_is_put_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    guide = tmp_path / "tuning.md"
    guide.write_text("<!-- table: kinds -->\n| a |\n|---|\n| 1 |\n\nWhat follows.\n")
    report._rewrite(guide, {"kinds": report.tuning_table([["a", "b"], ["2", "3"]])}, "<!-- table: {} -->\n", "\n\n")
    assert guide.read_text() == "<!-- table: kinds -->\n| a | b |\n|---|---|\n| 2 | 3 |\n\nWhat follows.\n"


def test_bytes_at_a_score_lie_between_those_that_were_measured() -> None:
    points = [(60.0, 1000), (70.0, 2000), (80.0, 4000)]
    assert scores.bytes_at(points, 75.0) == 3000
    assert scores.bytes_at(points, 60.0) == 1000
    assert scores.bytes_at(points, 85.0) == 5000


def test_both_languages_have_a_place_for_every_table() -> None:
    for language in report.HEADS:
        text = report.PERFORMANCE[language].read_text("utf-8")
        assert all(
            f"<!-- figures: {name} -->" in text
            for name in ("machine", "latency", "saturated", "convert", "upload", "memory", "limits", "scores", "live")
        )
        assert text.count("<!-- figures: ") == text.count("<!-- /figures -->")


def test_a_table_in_chinese_keeps_names_and_figures() -> None:
    table = "| 3 workers of kind | p99 ms |\n|---|---|\n| gevent | 0.9 |\n| one listener for all | AMD, 2 cores |"
    assert in_chinese(table) == "| 3 个工作进程，种类 | p99 毫秒 |\n|---|---|\n| gevent | 0.9 |\n| 全部共用一个监听套接字 | AMD，2 个核心 |"


@pytest.mark.parametrize("page", [report.PERFORMANCE["zh-CN"], report.EXERCISES["zh-CN"]])
def test_the_tables_of_a_chinese_page_are_in_chinese(page: Path) -> None:
    tables = re.findall(r"<!-- (?:figures|table): \w+ -->\n(.*?)(?=<!-- /figures|\n\n)", page.read_text("utf-8"), re.DOTALL)
    assert tables and tables == [in_chinese(table) for table in tables]
