# SPDX-License-Identifier: Apache-2.0
# Faults put into a kernel on purpose, to see which test notices. Takes long; never part of `make check`.
#   make mutants                      all of them
#   make mutants ARGS='its sve'       areas, ids or globs; ARGS=--help shows the rest

.PHONY: mutants
mutants: bundle
	@PYTHONPATH=runner $(PYTHON) -m assay.mutants $(ARGS)
