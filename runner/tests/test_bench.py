# SPDX-License-Identifier: Apache-2.0
"""What the benchmark runs, and its page."""

from assay.bench import curves, page
from assay.bench.figures import Figure, commands
from assay.bench.measure import Command, Cost, job


def costs(scale: float) -> dict[str, Cost]:
    """Straight lines, but for the one that doubles."""
    made = {}
    for curve in curves.CURVES:
        for x in curve.points:
            value = int(scale * (2.0 ** (x - 40) if curve.log else 5 + 2 * x))
            for who in ("refvmm", *(("bare",) if curve.bare else ())):
                made[f"{who}.{curve.name}.{x}"] = Cost([value], [value], [3 * value])
    return made


def test_a_job_says_how_often_and_for_how_long():
    lines = job([Command("a", ("x", "y"), 3), Command("b", ("x",), 2, at_once=30), Command("c", ("q",), 3, 60),
                 Command("d", ("f",), 0)]).splitlines()
    assert [line.split("\t")[3:] for line in lines] == [
        ["bench/meter", "3", "x", "y"], ["bench/meter", "2x30", "x"], ["bench/meter", "3:60", "q"], ["f"]]
    assert int(lines[2].split("\t")[2]) > int(lines[0].split("\t")[2])


def test_every_command_has_its_own_name():
    for counted in (True, False):
        names = [c.name for c in [*commands(("qemu",), 20, counted), *curves.commands(counted)]]
        assert len(names) == len(set(names))
        assert counted == any(".ipa." in name for name in names)


def test_the_growth_of_a_straight_line():
    plots = curves.series(costs(1000), costs(1))
    for plot in plots:
        assert len(plot.refvmm) == len(plot.x) == len(plot.row()["points"])
        if not plot.curve.log:
            assert abs(plot.slope(plot.refvmm) - (2000 if plot.unit == "instructions" else 6)) < 1
            assert abs(plot.bend - 1) < 0.01


def test_the_page_has_every_figure_and_needs_no_other_file():
    rows = [Figure("start <1 vCPU>", "instructions", 1.6e6, 1.3e6, 1.23, 1.25, 2e9), Figure("memory", "KiB", 700.0, None, None, 650.0)]
    plots = curves.series(costs(1000), costs(1))
    text = page.render(rows, plots, "k7.2-max")
    assert "start &lt;1 vCPU&gt;" in text and "1 of the targets missed" in text
    assert text.count("<svg") == len(plots)
    assert all(curve.title.replace("'", "&#39;") in text for curve in curves.CURVES)
    assert "http://" not in text and "https://" not in text and "<script" not in text


def test_ticks_are_round_and_reach_the_top():
    assert page.ticks(512) == [0, 200, 400, 600]
    assert page.ticks(9.3)[-1] >= 9.3
    assert page.ticks(1)[0] == 0
