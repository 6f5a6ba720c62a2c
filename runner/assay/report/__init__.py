# SPDX-License-Identifier: Apache-2.0
"""Views of results.json: none of them knows more than the record.

    write_html(results, path)            one self-contained page
    write_markdown(results, path)        tables for a merge request or an issue
    write_matrix_json(results, path)     the decided rows of every host
    terminal.verdict_tables(results)     a rich renderable
"""

from assay.report.html import write_html
from assay.report.markdown import write_markdown
from assay.report.matrix import write_matrix_json

__all__ = ["write_html", "write_markdown", "write_matrix_json"]
