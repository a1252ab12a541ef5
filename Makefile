# SPDX-License-Identifier: Apache-2.0
# GNU make. The build tree mirrors the install tree: build/bin/bryo finds build/libexec/bryo/bryo-*
# beside it, as the installed one does.
#
#   make            the programs                     make SAN=1     the same with ASan and UBSan
#   make WERROR=1   warnings are errors (CI)         make STATIC=0  bryo linked dynamically

CC       ?= cc
PKG      ?= pkg-config
CLANG    ?= clang-14
SAN      ?= 0
WERROR   ?= 0
STATIC   ?= 1
BUILD    ?= $(if $(filter 1,$(SAN)),build/san,build)

CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wformat=2 -Wundef -Wvla $(if $(filter 1,$(WERROR)),-Werror)
HARDEN   := -fPIE -fstack-protector-strong -fstack-clash-protection \
            $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
ifeq ($(SAN),1)
# ASan intercepts the functions that _FORTIFY_SOURCE would replace.
HARDEN   += -U_FORTIFY_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

ALL_CPPFLAGS = -I. -D_GNU_SOURCE $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu17 $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS  = -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(LDFLAGS)

# --- what is built: found by looking, so that a new file needs no edit here -------------------

sources    = $(sort $(wildcard $(1)/*.c))
objects    = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$(1)))
ROOMS     := base job image sandbox net cgroup fake roots jobs doctor run
room_dir   = $(if $(filter net,$(1)),net,internal/$(1))
# A user of a library stands before it; what each may use, tests/meta/includes.t says.
ARCHIVES  := $(foreach r,run doctor jobs roots fake image net cgroup sandbox job base,$(BUILD)/lib/lib$(r).a)
HELPERS   := $(notdir $(wildcard cmd/bryo-*))
PROGRAMS  := $(if $(wildcard cmd/bryo/*.c),$(BUILD)/bin/bryo) \
             $(foreach h,$(HELPERS),$(BUILD)/libexec/bryo/$(h))
UNIT      := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit))
BENCHPROGS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/bench))
TESTPROGS := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/helpers))

# Libraries of the programs: pkg-config's names, then flags for those that have no .pc file.
bryo_PKGS        := libseccomp
bryo_LIBS        :=
bryo-unpack_PKGS := liblzma libarchive nettle zlib libzstd libseccomp
bryo-unpack_LIBS := -lbz2
bryo-seccomp_PKGS := libseccomp json-c
bryo-scope_PKGS  := libsystemd
# Not by libslirp's .pc file: that wants the headers of GLib, which nothing here includes.
bryo-net_PKGS    := libmnl
bryo-net_LIBS    := -lslirp
ALL_PKGS         := $(sort $(bryo_PKGS) $(foreach h,$(HELPERS),$($(h)_PKGS)))
ALL_LIBS         := $(sort $(bryo_LIBS) $(foreach h,$(HELPERS),$($(h)_LIBS)))
pkg_cflags        = $(if $(1),$(shell $(PKG) --cflags $(1)))
pkg_libs          = $(if $(1),$(shell $(PKG) --libs $(1)))
# Asked once, when the first recipe needs it.
PKG_CFLAGS        = $(eval PKG_CFLAGS := $(call pkg_cflags,$(ALL_PKGS)))$(PKG_CFLAGS)

# Short lines while building; V=1 shows the commands.
V        ?= 0
Q        := $(if $(filter 1,$(V)),,@)
say       = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' '$(1)' '$(or $(2),$@)')

.PHONY: all
all: $(PROGRAMS) $(ARCHIVES)
.DELETE_ON_ERROR:
.SECONDARY:

# --- rules ------------------------------------------------------------------------------------

# Objects depend on the flags they were compiled with, archives on the list of sources (one that was
# removed must leave them). These files change only when what they say does.
FLAGS_NOW   := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
SOURCES_NOW := $(foreach d,$(foreach r,$(ROOMS),$(call room_dir,$(r))) $(wildcard cmd/*),$(call sources,$(d)))
changed_to   = mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
$(BUILD)/flags: FORCE
	@$(call changed_to,$(FLAGS_NOW))
$(BUILD)/sources: FORCE
	@$(call changed_to,$(SOURCES_NOW))
$(BUILD)/linkage: FORCE
	@$(call changed_to,$(LINKAGE))
.PHONY: FORCE

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define room_rule
$(BUILD)/lib/lib$(1).a: $(call objects,$(call room_dir,$(1)))
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))
$(BUILD)/lib/%.a: $(BUILD)/sources
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

link = $(CC) $(ALL_CFLAGS) $(1) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
       -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

# bryo may be linked statically: no dynamic loader at start, less to copy at each clone.
# (No sanitizer runtime is static.)
LINKAGE := $(if $(filter 10,$(STATIC)$(SAN)),-static-pie,-pie)
$(BUILD)/bin/bryo: $(call objects,cmd/bryo) $(ARCHIVES) $(BUILD)/linkage
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(call link,$(LINKAGE)) \
	    $(call pkg_libs,$(bryo_PKGS)) $(bryo_LIBS)

define helper_rule
$(BUILD)/libexec/bryo/$(1): $(call objects,cmd/$(1)) $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(call link,-pie) $$(call pkg_libs,$$($(1)_PKGS)) $$($(1)_LIBS)
endef
$(foreach h,$(HELPERS),$(eval $(call helper_rule,$(h))))

$(UNIT): $(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(call link,-pie) $(call pkg_libs,$(ALL_PKGS)) $(ALL_LIBS)

# Programs that end-to-end tests run inside a job: static, so that they run in any root.
$(TESTPROGS): $(BUILD)/tests/helpers/%: tests/helpers/%.c $(BUILD)/flags
	@mkdir -p $(@D) $(BUILD)/obj/$(<D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -std=gnu17 $(WARN) $(CFLAGS) -static -MMD -MP -MF $(BUILD)/obj/$<.d -o $@ $<

.PHONY: unit
unit: $(UNIT) $(TESTPROGS)

# --- big inputs, made once --------------------------------------------------------------------

ROOTFS_TAR   := build/debian.tar.xz
BUILDD_TAR   := build/buildd.tar.xz
BUILD_ROOTFS := build/debian-build.tar.xz
DEPS         := ci/deps.sh

$(ROOTFS_TAR): | ci/rootfs.sh
	ci/rootfs.sh $@

# A larger one, for measuring.
$(BUILDD_TAR): | ci/rootfs.sh
	VARIANT=buildd ci/rootfs.sh $@

# A root in which this tree builds and its tests run.
build/packages: FORCE
	@mkdir -p $(@D)
	@ci/deps.sh --list build test | cmp -s - $@ || ci/deps.sh --list build test >$@
$(BUILD_ROOTFS): build/packages | ci/rootfs.sh
	XZ_LEVEL=1 ci/rootfs.sh $@ --include="$$(paste -sd , build/packages)"

# --- what a person types ----------------------------------------------------------------------

NPROC    = $(shell nproc)
JOBS    ?= $(NPROC)
# Two processors are used also when nobody said -j.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(NPROC))
SUBMAKE  = $(MAKE) --no-print-directory $(PARALLEL)

.PHONY: demo
demo:
	@$(DEPS) build demo
	@+$(SUBMAKE) all $(ROOTFS_TAR)
	@BRYO=$(BUILD)/bin/bryo ROOTFS_TAR=$(ROOTFS_TAR) ci/demo.sh

# TESTS='sys/image* unit/*' runs some of them. Half as many at once again as there are processors, unless
# JOBS says how many: most of them wait for something most of the time.
TEST_JOBS = $(if $(filter file,$(origin JOBS)),$(shell echo $$(($(NPROC) + $(NPROC) / 2))),$(JOBS))
.PHONY: test
test:
	@$(DEPS) build test
	@+$(SUBMAKE) all unit $(ROOTFS_TAR)
	@BUILD=$(BUILD) JOBS=$(TEST_JOBS) tests/run $(TESTS)

# Each defence of the unpacker is taken away, one at a time, and a test has to fail. Ordinary accounts
# only. DEFENCES= names some (tests/defences -l).
.PHONY: defences
defences:
	@$(DEPS) build test
	@+$(SUBMAKE) all unit $(ROOTFS_TAR)
	@tests/defences $(DEFENCES)

# The suite inside a job of the bryo that was just built. ROOTFS= names another root (one with the
# build dependencies in it).
.PHONY: test-in-container
test-in-container:
	@$(DEPS) build test
	@+$(SUBMAKE) all unit $(ROOTFS_TAR) $(if $(ROOTFS),,$(BUILD_ROOTFS))
	@BUILD=$(BUILD) ROOTFS=$(or $(ROOTFS),$(BUILD_ROOTFS)) ci/test-in-container.sh $(TESTS)

# On a real kernel with a real systemd, in qemu. KERNEL= is a package, a .deb or a vmlinuz (with
# MODULES=DIR).
.PHONY: test-vm
test-vm:
	@$(DEPS) build test vm
	@+$(SUBMAKE) all unit $(ROOTFS_TAR)
	@BUILD=$(BUILD) KERNEL='$(KERNEL)' MODULES='$(MODULES)' ci/vm/test $(TESTS)

.PHONY: bench
bench:
	@$(DEPS) build bench
	@+$(SUBMAKE) all $(ROOTFS_TAR) $(BENCHPROGS)
	@BUILD=$(BUILD) ROOTFS_TAR=$(ROOTFS_TAR) tests/bench/start

.PHONY: bench-unpack
bench-unpack:
	@$(DEPS) build bench
	@+$(SUBMAKE) all $(ROOTFS_TAR) $(BUILDD_TAR)
	@tests/bench/unpack $(ROOTFS_TAR) $(BUILDD_TAR)
	@tests/bench/memory

# A job's network beside its peers, as whoever runs it.
.PHONY: bench-net
bench-net:
	@$(DEPS) build bench
	@+$(SUBMAKE) all $(BENCHPROGS)
	@BUILD=$(BUILD) tests/bench/net

$(BENCHPROGS): $(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D) $(BUILD)/obj/$(<D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -std=gnu17 $(WARN) $(CFLAGS) -static -MMD -MP -MF $(BUILD)/obj/$<.d -o $@ $<

# --- fuzzing: tests/fuzz/NAME.c, its inputs in tests/fuzz/corpus/NAME ----------------------------

FUZZ_TIME ?= 60
FUZZERS    = $(patsubst tests/fuzz/%.c,%,$(call sources,tests/fuzz))
FUZZ_FLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
             -fno-sanitize-recover=all

# Built apart, with the archives compiled for coverage too.
.PHONY: fuzz fuzz-programs fuzz-build
fuzz: fuzz-programs
	@FUZZ_RUNS=$(FUZZ_RUNS) ci/fuzz.sh $(FUZZ_TIME) $(JOBS) $(FUZZERS)
fuzz-programs:
	@$(DEPS) build fuzz
	@+$(SUBMAKE) BUILD=build/fuzz SAN=0 WERROR=0 CC=$(CLANG) CFLAGS='$(FUZZ_FLAGS)' HARDEN= fuzz-build
fuzz-build: $(addprefix $(BUILD)/bin/fuzz-,$(FUZZERS))

$(BUILD)/bin/fuzz-%: $(BUILD)/obj/tests/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(call link,-fsanitize=fuzzer) $(call pkg_libs,$(ALL_PKGS)) $(ALL_LIBS)

# --- lint: each tool fails the target ------------------------------------------------------------

CLANG_TIDY   ?= clang-tidy-14
CLANG_FORMAT ?= clang-format-14
C_FILES       = $(sort $(shell find cmd internal net tests -name '*.c' 2>/dev/null))
H_FILES       = $(sort $(shell find cmd internal net tests -name '*.h' 2>/dev/null))
SHELL_FILES   = $(sort $(shell grep -rlE '^\#!/bin/(ba)?sh|^\# shellcheck shell=' .ci ci tests))

.PHONY: lint lint-tools
lint:
	@$(DEPS) build lint
	@+$(SUBMAKE) --keep-going lint-tools
lint-tools: lint-format lint-shell lint-actions lint-cppcheck $(C_FILES:%.c=$(BUILD)/lint/%.tidy)

.PHONY: lint-format lint-shell lint-actions lint-cppcheck
lint-format:
	$(call say,FORMAT,$(words $(C_FILES) $(H_FILES)) files)
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(C_FILES) $(H_FILES)
lint-shell:
	$(call say,SHELLCHECK,$(words $(SHELL_FILES)) files)
	$(Q)shellcheck -x $(SHELL_FILES)
lint-actions:
	$(call say,ACTIONS,.github)
	$(Q)ci/lint-actions.sh
# unusedFunction and missingInclude need the whole program and all headers; the compiler has both.
lint-cppcheck:
	$(call say,CPPCHECK,$(words $(filter-out tests/%,$(C_FILES))) files)
	@mkdir -p $(BUILD)/lint/cppcheck
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -I. \
	    -D_GNU_SOURCE -D__x86_64__ -D__linux__ --cppcheck-build-dir=$(BUILD)/lint/cppcheck -j 2 \
	    --suppressions-list=ci/cppcheck.txt --error-exitcode=1 $(filter-out tests/%,$(C_FILES))
# Asked again only of what changed, the headers too.
$(BUILD)/lint/%.tidy: %.c .clang-tidy $(H_FILES)
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet --warnings-as-errors='*' $< -- $(ALL_CPPFLAGS) -std=gnu17 2>$@.err \
	    || { cat $@.err; exit 1; }
	@touch $@

.PHONY: fmt
fmt:
	$(CLANG_FORMAT) -i $(C_FILES) $(H_FILES)

# --- install ------------------------------------------------------------------------------------

PREFIX     ?= /usr/local

.PHONY: install uninstall
# Manual pages and the completion come from the table that parses, by way of the program itself.
install: all
	ci/install.sh $(BUILD) '$(DESTDIR)' '$(PREFIX)'
uninstall:
	ci/install.sh --remove $(BUILD) '$(DESTDIR)' '$(PREFIX)'

.PHONY: clean
clean:
	rm -rf $(filter-out build/vm $(wildcard build/*.tar.xz),$(wildcard build/*))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
