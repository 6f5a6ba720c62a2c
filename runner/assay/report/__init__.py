# SPDX-License-Identifier: Apache-2.0
"""Views of results.json: none of them knows more than the record.

    write_html(results, path)            one self-contained page
    write_markdown(results, path)        tables for a merge request or an issue
    write_matrix_json(results, path)     the decided rows of every host
    terminal.verdict_tables(results)     a rich renderable
"""
