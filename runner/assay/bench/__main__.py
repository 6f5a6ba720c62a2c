# SPDX-License-Identifier: Apache-2.0
"""`python3 -m assay.bench`."""

import sys

from .command import main

sys.exit(main())
