# SPDX-License-Identifier: Apache-2.0
"""From results of tests and facts to verdicts: each verdict, and each way to have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import judge, record
from assay.judge.decide import VERDICT_OF
from assay.judge.model import CLAIMS, OUTCOMES

HEAD = '[matrix]\nname = "m"\ntitle = "M"\ndocument = "D"\n'
ROW = '[[row]]\nid = "m.r"\ntext = "T"\nsection = "S"\n'


def matrix(tmp_path: Path, body: str, head: str = HEAD) -> judge.Matrix:
    path = tmp_path / "m.toml"
    path.write_text(head + ROW + body)
    return judge.load_matrix(path)


def result(ident: str, verdict: str = "pass", **more: object) -> dict:
    line = {"file": "t.c", "line": 7, "text": "rd32(x)", "got": "0x1", "want": "0x0"}
    base = {"id": ident, "verdict": verdict, "reason": None, "facts": {}, "rule": None,
            "evidence": [line] if verdict in ("fail", "xfail") else []}
    return base | more


def skip(ident: str, reason: str = "needs=KVM_CAP_ARM_SVE: no SVE") -> dict:
    return result(ident, "skip", reason=reason)


def decide(tmp_path: Path, body: str, tests: list[dict], facts: dict | None = None, **more: object) -> dict:
    decided = judge.decide(matrix(tmp_path, body), facts or {}, tests, **more)
    row = decided["rows"][0]
    assert decided["counts"][row["verdict"]] == 1 and sum(decided["counts"].values()) == 1
    assert row["reason"], "every verdict has a reason"
    return row


def brief(row: dict) -> tuple[str, str]:
    return row["measured"], row["verdict"]


# ---- the table of claims and outcomes

GROUPS = {
    "works": ('works = ["a.*"]', [result("a.x")]),
    "broken": ('works = ["a.*"]', [result("a.x"), result("a.y", "fail")]),
    "refused-cleanly": ('refused = ["a.*"]', [result("a.x")]),
    "refused-badly": ('refused = ["a.*"]', [result("a.x", "fail")]),
    "absent": ('facts = [{ key = "k", is = 0, then = "absent", else = "works" }]',
               [result("a.x", facts={"k": "0"})]),
}

TABLE = {
    ("supported", "works"): "conforms", ("supported", "broken"): "deviates",
    ("supported", "refused-cleanly"): "deviates", ("supported", "refused-badly"): "deviates",
    ("supported", "absent"): "deviates",
    ("unsupported", "works"): "exceeds", ("unsupported", "broken"): "deviates",
    ("unsupported", "refused-cleanly"): "conforms", ("unsupported", "refused-badly"): "deviates",
    ("unsupported", "absent"): "conforms",
    ("preview", "works"): "conforms", ("preview", "broken"): "deviates",
    ("preview", "refused-cleanly"): "conforms", ("preview", "refused-badly"): "deviates",
    ("preview", "absent"): "conforms",
    ("policy", "works"): "conforms", ("policy", "broken"): "unknown",
    ("policy", "refused-cleanly"): "conforms", ("policy", "refused-badly"): "unknown",
    ("policy", "absent"): "conforms",
}


@pytest.mark.parametrize(("claim", "outcome"), TABLE)
def test_claim_and_outcome_give_the_verdict(tmp_path: Path, claim: str, outcome: str) -> None:
    body, tests = GROUPS[outcome]
    row = decide(tmp_path, f'claim = "{claim}"\n{body}', tests)
    assert brief(row) == (outcome, TABLE[claim, outcome])


def test_the_table_is_whole() -> None:
    assert set(VERDICT_OF) == set(CLAIMS) - {"limit"}
    for outcomes in VERDICT_OF.values():
        assert set(outcomes) == set(OUTCOMES)


# ---- verdicts of tests

def test_a_failure_gives_got_and_want_as_reason(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [result("a.x", "fail")])
    assert "a.x failed: rd32(x): got 0x1, want 0x0" in row["reason"]
    assert row["evidence"]["tests"][0]["lines"] == ["t.c:7: rd32(x): got 0x1, want 0x0"]


def test_a_known_failure_is_still_broken(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [result("a.x", "xfail")])
    assert brief(row) == ("broken", "deviates")


def test_an_unexpected_pass_works(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [result("a.x", "xpass")])
    assert brief(row) == ("works", "conforms")


def test_an_error_decides_nothing(tmp_path: Path) -> None:
    tests = [result("a.x"), result("a.y", "error", reason="time limit of 100 ms")]
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', tests)
    assert brief(row) == ("not-probed", "unknown")
    assert "a.y ended in an error: time limit of 100 ms" in row["reason"]


def test_a_failure_outweighs_an_error(tmp_path: Path) -> None:
    tests = [result("a.x", "fail"), result("a.y", "error", reason="time limit")]
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', tests)
    assert brief(row) == ("broken", "deviates")


def test_all_skipped_is_unknown_with_the_skips_reason(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [skip("a.x"), skip("a.y")])
    assert brief(row) == ("not-probed", "unknown")
    assert row["reason"] == "skipped: needs=KVM_CAP_ARM_SVE: no SVE"


def test_some_skipped_is_decided_by_the_others_and_says_so(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [result("a.x"), skip("a.y")])
    assert brief(row) == ("works", "conforms")
    assert "1 of 2 tests passed; 1 skipped (needs=KVM_CAP_ARM_SVE" in row["reason"]


def test_each_glob_is_a_part_of_the_evidence(tmp_path: Path) -> None:
    body = 'claim = "supported"\nworks = ["a.*", "b.*"]'
    assert brief(decide(tmp_path, body, [result("a.x"), result("b.x")])) == ("works", "conforms")
    row = decide(tmp_path, body, [result("a.x"), skip("b.x", "no kernel")])
    assert brief(row) == ("not-probed", "unknown") and row["reason"] == "skipped: no kernel"
    row = decide(tmp_path, body, [result("a.x")])
    assert row["verdict"] == "unknown" and "no result of b.*" in row["reason"]
    assert brief(decide(tmp_path, body, [result("a.x", "fail"), skip("b.x")])) == ("broken", "deviates")


def test_a_policys_fact_that_is_otherwise_is_unknown(tmp_path: Path) -> None:
    body = 'claim = "policy"\nfacts = [{ key = "k", is = "installed" }]'
    assert brief(decide(tmp_path, body, [], {"k": "installed"})) == ("installed", "conforms")
    assert brief(decide(tmp_path, body, [], {"k": "absent"})) == ("absent", "unknown")


def test_no_result_is_unknown(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', [result("b.x")])
    assert brief(row) == ("not-probed", "unknown")
    assert "not run" in row["reason"]


def test_a_part_of_the_tests_decides_nothing_good(tmp_path: Path) -> None:
    body = 'claim = "supported"\nworks = ["a.*"]'
    row = decide(tmp_path, body, [result("a.x")], listed=["a.x", "a.y", "b.z"])
    assert row["verdict"] == "unknown" and "only 1 of 2" in row["reason"] and "a.y" in row["reason"]
    row = decide(tmp_path, body, [result("a.x", "fail")], listed=["a.x", "a.y"])
    assert brief(row) == ("broken", "deviates")
    row = decide(tmp_path, body, [result("a.x")], listed=["a.x", "b.z"])
    assert brief(row) == ("works", "conforms")


def test_not_probed_says_what_is_missing_and_shows_what_there_is(tmp_path: Path) -> None:
    body = 'claim = "supported"\nrefused = ["a.*"]\nnot_probed = "a flash bank"'
    row = decide(tmp_path, body, [result("a.x")])
    assert brief(row) == ("not-probed", "unknown")
    assert row["reason"] == "not probed yet (a flash bank)"
    assert [(test["id"], test["role"]) for test in row["evidence"]["tests"]] == [("a.x", "also")]


def test_globs_name_variants() -> None:
    assert judge.matches("a.x", "a.x@v2")
    assert judge.matches("a.*@v2", "a.x@v2")
    assert not judge.matches("a.*@v2", "a.x@v3")
    assert not judge.matches("a.*@v2", "a.x")
    assert not judge.matches("a.*", "ab.x")
    assert judge.matches("a.*ze*", "a.freezes@k4")


# ---- evidence that contradicts itself

TWINS = 'claim = "unsupported"\nworks = ["a.*"]\nrefused = ["b.*"]'


def test_works_and_refused_at_once_is_conflicting(tmp_path: Path) -> None:
    row = decide(tmp_path, TWINS, [result("a.x"), result("b.x")])
    assert brief(row) == ("not-probed", "unknown")
    assert row["reason"].startswith("conflicting evidence: ")
    assert "a.*" in row["reason"] and "b.*" in row["reason"]


def test_of_twins_one_skips_and_the_other_decides(tmp_path: Path) -> None:
    assert brief(decide(tmp_path, TWINS, [result("a.x"), skip("b.x")])) == ("works", "exceeds")
    assert brief(decide(tmp_path, TWINS, [skip("a.x"), result("b.x")])) == ("refused-cleanly", "conforms")
    assert brief(decide(tmp_path, TWINS, [skip("a.x"), skip("b.x")])) == ("not-probed", "unknown")


def test_of_twins_an_error_is_no_silence(tmp_path: Path) -> None:
    row = decide(tmp_path, TWINS, [result("a.x", "error", reason="crashed"), result("b.x")])
    assert row["verdict"] == "unknown" and "crashed" in row["reason"]


def test_of_twins_one_that_was_not_run_is_no_silence(tmp_path: Path) -> None:
    row = decide(tmp_path, TWINS, [result("b.x")])
    assert row["verdict"] == "unknown" and "not run" in row["reason"]


def test_a_failure_of_either_twin_is_seen(tmp_path: Path) -> None:
    assert brief(decide(tmp_path, TWINS, [result("a.x", "fail"), result("b.x")])) == ("broken", "deviates")
    assert brief(decide(tmp_path, TWINS, [result("a.x"), result("b.x", "fail")])) == ("refused-badly", "deviates")


def test_fact_and_test_contradict(tmp_path: Path) -> None:
    body = ('claim = "unsupported"\nrefused = ["a.*"]\n'
            'facts = [{ key = "cap", is = 0, then = "absent", else = "works" }]')
    assert brief(decide(tmp_path, body, [result("a.x")], {"cap": "0"})) == ("refused-cleanly", "conforms")
    row = decide(tmp_path, body, [result("a.x")], {"cap": "1"})
    assert row["verdict"] == "unknown"
    assert "conflicting evidence: cap is 1 says works, yet a.* says refused-cleanly" in row["reason"]


def test_two_tests_measure_one_fact_differently(tmp_path: Path) -> None:
    body = 'claim = "supported"\nfacts = [{ key = "k", is = "a" }]'
    tests = [result("a.x", facts={"k": "a"}), result("a.y", facts={"k": "b"})]
    row = decide(tmp_path, body, tests)
    assert row["verdict"] == "unknown"
    assert row["reason"] == "conflicting evidence: fact k is a (a.x), b (a.y)"


# ---- facts

def test_a_fact_as_claimed_and_otherwise(tmp_path: Path) -> None:
    body = 'claim = "supported"\nfacts = [{ key = "host.machine", is = "aarch64" }]'
    assert brief(decide(tmp_path, body, [], {"host.machine": "aarch64"})) == ("aarch64", "conforms")
    row = decide(tmp_path, body, [], {"host.machine": "armv7l"})
    assert brief(row) == ("armv7l", "deviates")
    assert "not as claimed (aarch64)" in row["reason"]


def test_a_fact_nobody_measured(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nfacts = [{ key = "k", is = 1 }]', [])
    assert brief(row) == ("not-probed", "unknown")
    assert "fact k was not measured" in row["reason"]


def test_an_optional_fact_may_be_missing(tmp_path: Path) -> None:
    body = 'claim = "supported"\nworks = ["a.*"]\nfacts = [{ key = "k", is = 1, optional = true }]'
    assert brief(decide(tmp_path, body, [result("a.x")])) == ("works", "conforms")
    assert brief(decide(tmp_path, body, [result("a.x")], {"k": "2"})) == ("2", "deviates")


def test_a_missing_fact_beside_passing_tests_decides_nothing(tmp_path: Path) -> None:
    body = 'claim = "supported"\nworks = ["a.*"]\nfacts = [{ key = "k", is = 1 }]'
    assert decide(tmp_path, body, [result("a.x")])["verdict"] == "unknown"


def test_facts_with_several_allowed_values(tmp_path: Path) -> None:
    body = 'claim = "supported"\nfacts = [{ key = "kvm.mode", is = ["vhe", "nvhe"] }]'
    assert brief(decide(tmp_path, body, [], {"kvm.mode": "nvhe"})) == ("nvhe", "conforms")
    assert brief(decide(tmp_path, body, [], {"kvm.mode": "protected"})) == ("protected", "deviates")


def test_evidence_names_the_fact_and_who_measured_it(tmp_path: Path) -> None:
    row = decide(tmp_path, 'claim = "supported"\nfacts = [{ key = "k", is = 1 }]',
                 [result("a.x", facts={"k": "1"})])
    assert row["evidence"]["facts"] == [{"key": "k", "value": "1", "test": "a.x"}]


def test_a_missing_fact_takes_its_tests_reason(tmp_path: Path) -> None:
    body = 'claim = "supported"\nfacts = [{ key = "k", is = 1, by = "f.k" }]'
    row = decide(tmp_path, body, [skip("f.k", "no SMBIOS")])
    assert (row["verdict"], row["reason"]) == ("unknown", "skipped: no SMBIOS")
    assert [test["id"] for test in row["evidence"]["tests"]] == ["f.k"]
    row = decide(tmp_path, body, [result("f.k", "error", reason="crashed")])
    assert row["verdict"] == "unknown" and "f.k ended as error: crashed" in row["reason"]
    assert decide(tmp_path, body, [result("f.k", facts={"k": "1"})])["verdict"] == "conforms"


MUST = 'claim = "unsupported"\nrefused = ["a.*"]\nmust = ["b.*"]'


def test_what_must_pass_decides_only_by_failing(tmp_path: Path) -> None:
    assert brief(decide(tmp_path, MUST, [result("a.x"), result("b.x")])) == ("refused-cleanly", "conforms")
    assert brief(decide(tmp_path, MUST, [result("a.x"), skip("b.x")])) == ("refused-cleanly", "conforms")
    assert brief(decide(tmp_path, MUST, [result("a.x"), result("b.x", "fail")])) == ("broken", "deviates")
    assert decide(tmp_path, MUST, [result("a.x"), result("b.x", "error", reason="r")])["verdict"] == "unknown"
    assert decide(tmp_path, MUST, [result("a.x")])["verdict"] == "unknown"
    assert decide(tmp_path, MUST, [skip("a.x"), result("b.x")])["verdict"] == "unknown"


def test_what_nobody_wanted_to_run_is_no_gap(tmp_path: Path) -> None:
    both = MUST.replace('"b.*"', '"b.*", "c.z"')
    assert brief(decide(tmp_path, MUST, [result("a.x")], listed=["a.x"])) == ("refused-cleanly", "conforms")
    assert brief(decide(tmp_path, both, [result("a.x"), result("b.x")], listed=["a.x", "b.x"])) == (
        "refused-cleanly", "conforms")
    assert decide(tmp_path, MUST, [result("a.x")], listed=["a.x", "b.x"])["verdict"] == "unknown"
    assert decide(tmp_path, MUST, [result("a.x"), result("b.x", "fail")], listed=["a.x"])["verdict"] == "deviates"


def test_a_slow_test_is_not_listed_among_what_a_row_lacks(tmp_path: Path) -> None:
    matrix(tmp_path, MUST)
    for slow, verdict in ((True, "conforms"), (False, "unknown")):
        host = {"name": "h", "facts": {}}
        test = {**result("a.x"), "host": "h"}
        record.judge_hosts([host], [test], [{"id": "a.x", "rule": "R"}, {"id": "b.x", "rule": "R", "slow": slow}],
                           [str(tmp_path / "m.toml")])
        assert host["matrices"][0]["rows"][0]["verdict"] == verdict


def test_what_must_pass_holds_for_limits_too(tmp_path: Path) -> None:
    body = limit("15", "capacity", "ports") + '\nmust = ["b.*"]'
    assert decide(tmp_path, body, [result("b.x")], {"k": "15"})["verdict"] == "conforms"
    assert decide(tmp_path, body, [result("b.x", "fail")], {"k": "15"})["verdict"] == "deviates"
    assert decide(tmp_path, body, [result("b.x", "error", reason="r")], {"k": "15"})["verdict"] == "unknown"
    assert decide(tmp_path, body, [], {"k": "15"})["verdict"] == "unknown"
    assert decide(tmp_path, body, [], {"k": "14"})["verdict"] == "deviates"


# ---- conditions and accepted outcomes: the three verdicts of one row on three hosts

SVE = """claim = "supported"
works = ["sve.exact"]
refused = ["sve.hole"]
condition = { key = "kvm.sve", not = 0, reason = "this CPU has no SVE" }
accept = [{ outcome = "refused-cleanly", key = "sve.lengths", has = 384, reason = "384 cannot be hidden" }]
"""


def test_explicit_lengths_work_where_the_host_has_exactly_these(tmp_path: Path) -> None:
    row = decide(tmp_path, SVE, [result("sve.exact"), skip("sve.hole")],
                 {"kvm.sve": "1", "sve.lengths": "128,256,512"})
    assert brief(row) == ("works", "conforms")


def test_explicit_lengths_refused_cleanly_conform_where_384_cannot_be_hidden(tmp_path: Path) -> None:
    row = decide(tmp_path, SVE, [skip("sve.exact"), result("sve.hole")],
                 {"kvm.sve": "1", "sve.lengths": "128,256,384,512"})
    assert brief(row) == ("refused-cleanly", "conforms")
    assert row["reason"] == "384 cannot be hidden"


def test_explicit_lengths_refused_without_need_deviate(tmp_path: Path) -> None:
    row = decide(tmp_path, SVE, [skip("sve.exact"), result("sve.hole")],
                 {"kvm.sve": "1", "sve.lengths": "128,256,512"})
    assert brief(row) == ("refused-cleanly", "deviates")


def test_without_the_lengths_an_accepted_outcome_is_unknown(tmp_path: Path) -> None:
    row = decide(tmp_path, SVE, [skip("sve.exact"), result("sve.hole")], {"kvm.sve": "1"})
    assert row["verdict"] == "unknown"


def test_a_condition_that_does_not_hold(tmp_path: Path) -> None:
    row = decide(tmp_path, SVE, [skip("sve.exact"), skip("sve.hole")], {"kvm.sve": "0"})
    assert brief(row) == ("absent", "unknown")
    assert row["reason"] == "this CPU has no SVE"


def test_a_condition_nobody_measured(tmp_path: Path) -> None:
    assert brief(decide(tmp_path, SVE, [result("sve.exact")])) == ("not-probed", "unknown")


# ---- limits

def limit(value: str, compare: str, unit: str = "bytes") -> str:
    return (f'claim = "limit"\nlimit = {value}\n'
            f'measure = {{ fact = "k", unit = "{unit}", compare = "{compare}" }}')


@pytest.mark.parametrize(("value", "compare", "fact", "measured", "verdict"), [
    ('"64 KiB"', "exact", "65536", "64 KiB", "conforms"),
    ('"64 KiB"', "exact", "64K", "64 KiB", "conforms"),
    ('"64 KiB"', "exact", "4096", "4 KiB", "deviates"),
    ('"64 KiB"', "exact", "0x20000", "128 KiB", "deviates"),
    ('"64 KiB"', "capacity", "65536", "64 KiB", "conforms"),
    ('"64 KiB"', "capacity", "131072", "128 KiB", "exceeds"),
    ('"64 KiB"', "capacity", "4096", "4 KiB", "deviates"),
    ('"64 KiB"', "ceiling", "4096", "4 KiB", "conforms"),
    ('"64 KiB"', "ceiling", "65536", "64 KiB", "conforms"),
    ('"64 KiB"', "ceiling", "131072", "128 KiB", "exceeds"),
    ('["2 MiB", "512 MiB", "16 GiB"]', "set", "2M,512M,16G", "2 MiB, 512 MiB, 16 GiB", "conforms"),
    ('["2 MiB", "512 MiB", "16 GiB"]', "set", "16G 512M 2M", "16 GiB, 512 MiB, 2 MiB", "conforms"),
    ('["2 MiB", "512 MiB", "16 GiB"]', "set", "2M,512M", "2 MiB, 512 MiB", "deviates"),
    ('["2 MiB", "512 MiB", "16 GiB"]', "set", "64K,2M,512M,16G", "64 KiB, 2 MiB, 512 MiB, 16 GiB", "exceeds"),
    ('["2 MiB", "512 MiB", "16 GiB"]', "set", "none", "none", "deviates"),
])
def test_limits_compare_with_their_units(tmp_path: Path, value: str, compare: str, fact: str,
                                         measured: str, verdict: str) -> None:
    assert brief(decide(tmp_path, limit(value, compare), [], {"k": fact})) == (measured, verdict)


@pytest.mark.parametrize(("fact", "verdict"), [("48", "conforms"), ("52", "exceeds"), ("40", "deviates")])
def test_a_limit_in_bits(tmp_path: Path, fact: str, verdict: str) -> None:
    row = decide(tmp_path, limit('"48 bits"', "capacity", "bits"), [], {"k": fact})
    assert brief(row) == (f"{fact} bits", verdict)


def test_a_limit_nobody_measured(tmp_path: Path) -> None:
    row = decide(tmp_path, limit("15", "capacity", "ports"), [])
    assert brief(row) == ("not-probed", "unknown") and "fact k was not measured" in row["reason"]


def test_a_limit_that_is_no_quantity(tmp_path: Path) -> None:
    row = decide(tmp_path, limit("15", "capacity", "ports"), [], {"k": "many"})
    assert row["verdict"] == "unknown" and "no quantity" in row["reason"]


PORTS = """claim = "limit"
limit = 15
refused = ["v.refuses_16"]
[row.measure]
compare = "capacity"
unit = "root ports"
values."1" = ["p.*@n1"]
values."15" = ["p.*@n15"]
"""


def test_a_limit_from_tests(tmp_path: Path) -> None:
    tests = [result("p.a@n1"), result("p.a@n15"), result("v.refuses_16")]
    assert brief(decide(tmp_path, PORTS, tests)) == ("15 root ports", "conforms")


def test_a_limit_from_tests_with_a_broken_value(tmp_path: Path) -> None:
    tests = [result("p.a@n1"), result("p.a@n15", "fail"), result("v.refuses_16")]
    row = decide(tmp_path, PORTS, tests)
    assert row["verdict"] == "deviates" and "15: p.a@n15 failed" in row["reason"]


def test_a_limit_from_tests_that_is_not_refused_beyond(tmp_path: Path) -> None:
    tests = [result("p.a@n1"), result("p.a@n15"), result("v.refuses_16", "fail")]
    row = decide(tmp_path, PORTS, tests)
    assert row["verdict"] == "deviates" and "but beyond it v.refuses_16 failed" in row["reason"]


def test_a_limit_from_tests_without_the_refusal_beyond(tmp_path: Path) -> None:
    row = decide(tmp_path, PORTS, [result("p.a@n1"), result("p.a@n15")])
    assert row["verdict"] == "unknown"


def test_a_limit_from_tests_with_an_error(tmp_path: Path) -> None:
    tests = [result("p.a@n1"), result("p.a@n15", "error", reason="host crashed"), result("v.refuses_16")]
    row = decide(tmp_path, PORTS, tests)
    assert brief(row) == ("not-probed", "unknown") and "host crashed" in row["reason"]


def test_a_set_from_tests(tmp_path: Path) -> None:
    body = ('claim = "limit"\nlimit = "64 KiB"\n[row.measure]\ncompare = "set"\nunit = "bytes"\n'
            'values."4 KiB" = ["g.*@4k"]\nvalues."64 KiB" = ["g.*@64k"]\n')
    both = [result("g.a@4k"), result("g.a@64k")]
    assert brief(decide(tmp_path, body, both)) == ("4 KiB, 64 KiB", "exceeds")
    assert brief(decide(tmp_path, body, [skip("g.a@4k"), result("g.a@64k")])) == ("64 KiB", "conforms")
    assert brief(decide(tmp_path, body, [result("g.a@4k"), skip("g.a@64k")])) == ("4 KiB", "deviates")
    row = decide(tmp_path, body, [result("g.a@4k"), result("g.a@64k", "fail")])
    assert brief(row) == ("4 KiB", "deviates")
    assert brief(decide(tmp_path, body, [skip("g.a@4k"), skip("g.a@64k")])) == ("not-probed", "unknown")


# ---- reasons, rules

def test_a_row_may_explain_its_verdict(tmp_path: Path) -> None:
    body = limit('"64 KiB"', "exact") + '\nreasons.deviates = "not the platform described"'
    row = decide(tmp_path, body, [], {"k": "4096"})
    assert row["reason"] == "not the platform described (measured 4 KiB, claimed 64 KiB)"
    row = decide(tmp_path, body, [], {"k": "65536"})
    assert "platform" not in row["reason"]


def test_a_row_tells_each_host_its_own_reason(tmp_path: Path) -> None:
    body = ('claim = "supported"\nworks = ["a.*"]\nsaid.works = "{cpu} has {lengths} bits"\n'
            'condition = { key = "sve", not = 0, reason = "{cpu} has no SVE" }\n')
    row = decide(tmp_path, body, [result("a.x")], {"cpu": "A64FX", "lengths": "128,256,512", "sve": "1"})
    assert row["reason"] == "A64FX has 128, 256, 512 bits (its test passed)"
    assert {"key": "lengths", "value": "128,256,512", "test": None} in row["evidence"]["facts"]
    many = ",".join(str(n) for n in range(128, 2049, 128))
    row = decide(tmp_path, body, [result("a.x")], {"cpu": "model (max)", "lengths": many, "sve": "1"})
    assert row["reason"].startswith("model (max) has 128, 256, 384, 512 … 2048 bits")
    row = decide(tmp_path, body, [skip("a.x")], {"cpu": "N1", "sve": "0"})
    assert brief(row) == ("absent", "unknown") and row["reason"] == "N1 has no SVE"
    row = decide(tmp_path, body, [result("a.x")], {"sve": "1"})
    assert row["reason"].startswith("(unknown cpu) has (unknown lengths) bits")
    row = decide(tmp_path, body, [result("a.x", "fail")], {"cpu": "A64FX", "lengths": "128", "sve": "1"})
    assert "has 128 bits" not in row["reason"]


RULES = """subject = "s"
[[rule]]
id = "IRQ-1"
text = "an interrupt is taken"
source = "IHI 0069"
[[rule]]
id = "TIMER-1"
text = "the timer interrupts"
source = "DDI 0487"
requires = ["IRQ-1"]
[[rule]]
id = "TIMER-2"
text = "and again"
source = "DDI 0487"
requires = ["TIMER-1"]
"""


@pytest.fixture
def rules(tmp_path: Path) -> judge.Rules:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "s.toml").write_text(RULES)
    return judge.load_rules(folder)


def test_a_failed_prerequisite_sets_its_dependants_aside(tmp_path: Path, rules: judge.Rules) -> None:
    tests = [result("irq.a", "fail", rule="IRQ-1"), result("t.b", "fail", rule="TIMER-2"), result("t.c")]
    row = decide(tmp_path, 'claim = "supported"\nworks = ["t.*"]', tests, rules=rules)
    assert brief(row) == ("not-probed", "unknown")
    assert row["reason"] == "not judged: t.b stands on rule IRQ-1, which irq.a saw broken"
    assert row["evidence"]["tests"][0]["reason"] == "not judged: rule IRQ-1 failed"


def test_a_failed_variant_touches_its_own_variant_alone(tmp_path: Path, rules: judge.Rules) -> None:
    broken = result("irq.a@v2", "fail", rule="IRQ-1")
    tests = [broken, result("irq.a@v3", rule="IRQ-1"), result("t.b@v2", rule="TIMER-1"),
             result("t.b@v3", rule="TIMER-1")]
    assert set(judge.not_judged(rules, tests)) == {"t.b@v2"}
    row = decide(tmp_path, 'claim = "supported"\nworks = ["t.*@v3"]', tests, rules=rules)
    assert brief(row) == ("works", "conforms")
    assert set(judge.not_judged(rules, [broken, result("t.b", rule="TIMER-1")])) == {"t.b"}


def test_a_dependants_pass_is_set_aside_too(tmp_path: Path, rules: judge.Rules) -> None:
    tests = [result("irq.a", "fail", rule="IRQ-1"), result("t.b", rule="TIMER-1")]
    row = decide(tmp_path, 'claim = "supported"\nworks = ["t.*"]', tests, rules=rules)
    assert row["verdict"] == "unknown"


def test_a_failure_of_its_own_is_judged_beside_one_set_aside(tmp_path: Path, rules: judge.Rules) -> None:
    tests = [result("irq.a", "fail", rule="IRQ-1"), result("t.b", rule="TIMER-1"), result("t.c", "fail")]
    row = decide(tmp_path, 'claim = "supported"\nworks = ["t.*"]', tests, rules=rules)
    assert brief(row) == ("broken", "deviates")


def test_a_skipped_or_passing_prerequisite_sets_nothing_aside(tmp_path: Path, rules: judge.Rules) -> None:
    for verdict in ("pass", "skip", "error"):
        tests = [result("irq.a", verdict, rule="IRQ-1"), result("t.b", rule="TIMER-1")]
        row = decide(tmp_path, 'claim = "supported"\nworks = ["t.*"]', tests, rules=rules)
        assert brief(row) == ("works", "conforms")


def test_the_summary_names_rules_without_tests_and_unknown_ones(rules: judge.Rules) -> None:
    tests = [result("irq.a", "fail", rule="IRQ-1", host="h"), result("t.b", rule="TIMER-2", host="h"),
             result("t.c", rule="NOBODY-1", host="h"), result("t.b", rule="TIMER-2", host="other")]
    summary = judge.rules_summary(rules, tests)
    assert summary["without_test"] == ["TIMER-1"]
    assert summary["unknown"] == ["NOBODY-1"]
    assert summary["not_judged"] == [
        {"host": "h", "test": "t.b", "rule": "TIMER-2", "prerequisite": "IRQ-1", "by": "irq.a"}]
    listed = [{"rule": "TIMER-1"}, {"rule": "IRQ-1"}, {"rule": "TIMER-2"}]
    assert judge.rules_summary(rules, tests, listed)["without_test"] == []


def test_deciding_changes_nothing_it_was_given(tmp_path: Path) -> None:
    tests = [result("a.x", "fail")]
    before = repr(tests)
    decide(tmp_path, 'claim = "supported"\nworks = ["a.*"]', tests, {"k": "1"})
    assert repr(tests) == before
