# SPDX-License-Identifier: Apache-2.0
# Targets of a project, run inside a job of bryo: no root, nothing left behind.
#
#   include bryo.mk                     make test-in-container    make lint-in-container -j4
#
# TARGET-in-container runs `make TARGET` in the root file system BRYO_ROOTFS, with the current
# directory as the workspace. What the outer make was asked for reaches the inner one: -j (it shares
# the job server), -n, -k, and variables of the command line. Its exit status is the inner one's.
# bryo.mk(5) says more.

bryo-mk := $(abspath $(lastword $(MAKEFILE_LIST)))

# bryo itself; a tarball or a directory (empty: the machine's own system); options of bryo run.
BRYO ?= bryo
BRYO_ROOTFS ?=
BRYO_FLAGS ?=
# The make inside, and what it is given in front of the target.
BRYO_MAKE ?= make
BRYO_MAKE_FLAGS ?=
# shell-in-container starts this.
BRYO_SHELL ?= sh

# The make inside reads the same makefiles, this one among them.
bryo-run = $(BRYO) run --jobserver $(if $(BRYO_ROOTFS),--rootfs '$(BRYO_ROOTFS)') \
           -v '$(bryo-mk):$(bryo-mk):ro' $(BRYO_FLAGS)

.PHONY: shell-in-container test-in-container

# The + has it run under -n too, as a recipe with $(MAKE) would: the make inside prints then.
%-in-container:
	+@$(bryo-run) -- $(BRYO_MAKE) $(BRYO_MAKE_FLAGS) $*

# (Of its own, since a pattern makes nothing of a phony name.)
test-in-container:
	+@$(bryo-run) -- $(BRYO_MAKE) $(BRYO_MAKE_FLAGS) test

shell-in-container:
	+@$(bryo-run) -it -- $(BRYO_SHELL)
