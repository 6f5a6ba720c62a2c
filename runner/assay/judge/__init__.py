# SPDX-License-Identifier: Apache-2.0
"""The judge: vendors' claims against what was measured on one host.

Public API (docs/matrices.md explains the files and the words):

    load_matrices(dir) -> list[Matrix]       every *.toml of matrices/ but known.toml
    load_rules(dir) -> Rules                 every *.toml of matrices/rules/
    tests_of(matrix) -> list[str]            globs of every test and fact source the matrix needs
    decide(matrix, host_facts, tests, rules=None, listed=None) -> dict
                                             JSON-ready entry of hosts[].matrices[]
    matches(glob, test_id) -> bool           how a glob of a row names tests: without @, every variant
    rules_summary(rules, tests, listed=None) -> dict
                                             JSON-ready results["rules"]: citations, rules without a test,
                                             unknown rules, tests not judged because a prerequisite failed

`tests` are entries of results["tests"] of one host: id, verdict, reason, evidence, facts, rule.
Everything here is pure: no clock, no file but those loaded, no network.
"""

from assay.judge.decide import decide, matches
from assay.judge.model import Matrix, Row, load_matrices, load_matrix, tests_of
from assay.judge.rules import Rule, Rules, load_rules, not_judged, rules_summary

__all__ = ["Matrix", "Row", "Rule", "Rules", "decide", "load_matrices", "load_matrix", "load_rules",
           "matches", "not_judged", "rules_summary", "tests_of"]
