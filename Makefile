# cloud-audit-setup: build, install, test.
#
#   make           build/cloud-audit-setup
#   make demo      configure a COS-shaped node in a virtual machine, and show it; SUITE=forky: of another Debian
#   make check     all tests
#   make check-host  those that need no machine and no root: between two edits, under 3 minutes
#   make coverage  line and branch coverage by the host tests, room by room
#   make check-suites  before a release: the tests of machines on SUITES (bullseye trixie forky) and aarch64, the
#                  fuzzers for longer, the whole proof of identity, 10,000 rules; hours
#   make check-cluster  before a release: what k8s/ has on real kubelets, of a Kubernetes that is built once; NODES=1
#                  leaves out what needs two nodes, SCENES="flat stuck" is some of it
#   make image     the container image, for amd64 and arm64, below build/image
#   make deb       a Debian package, below build/deb
#   make dist-node a tarball for hosts without a package manager, for amd64 and arm64, in build
#   make release   SIGN_KEY=KEY: all of these and what goes with them, built twice, with sums that are signed, in
#                  build/release
#   make fuzz      the fuzzers, TIME=60 seconds each
#   make bench     what it costs on a node, as ratios to what a user would run instead
#   make bench-rules   its second part alone: what the rules cost, against auditctl -R
#   make chart     the Helm chart as a package and an OCI artifact, below build/chart
#   make manifests the flat files and the chart of k8s/, rendered again; first what shippers know of records (make tables)
#   make help      this
#   make deps      install what these need, by Debian package name (demo, check and most others do it, too)
#   make install   honours PREFIX and DESTDIR
CC ?= gcc
RUNTIME_CC ?= musl-gcc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
# The root that --root defaults to: "/" on a node, "/host" in the container image.
DEFAULT_ROOT ?= /
# make SANITIZE=address,undefined builds and tests below build/sanitize.
SANITIZE ?=

ifneq ($(SANITIZE),)
BUILD := $(BUILD)/sanitize
SAN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

VERSION := 0.1.0
LIBS := libsystemd audit inih
WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
	-Wpointer-arith -Wwrite-strings -Wcast-qual -Wundef -Wvla -Wno-unused-parameter
# Fortify 3 where compiler and C library know it (gcc 12, clang 9, glibc 2.34), else 2: glibc warns of a
# level that it takes for a lower one. Control-flow protection by machine; the mark for shadow stacks is
# set by hand, because Debian's crt1.o, which has nothing against them, lacks it.
FORTIFY := $(shell echo '\#include <features.h>' | $(CC) -O2 -Werror -D_FORTIFY_SOURCE=3 -E -x c - \
	>/dev/null 2>&1 && echo 3 || echo 2)
CONTROL_FLOW_x86_64 := -fcf-protection
CONTROL_FLOW_LD_x86_64 := -Wl,-z,shstk
CONTROL_FLOW_aarch64 := -mbranch-protection=standard
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection $(CONTROL_FLOW_$(MACHINE))
ifeq ($(SAN),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY)
endif
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(CONTROL_FLOW_LD_$(MACHINE))
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) $(SAN)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DDEFAULT_ROOT='"$(DEFAULT_ROOT)"' \
	-DRULES_DIR='"$(PREFIX)/share/cloud-audit-setup/rules"' \
	-DLIBEXEC_DIR='"$(PREFIX)/libexec/cloud-audit-setup"' $(CPPFLAGS) \
	$(shell $(PKG_CONFIG) --cflags $(LIBS))
ALL_LDFLAGS := $(HARDEN_LD) -Wl,--as-needed $(SAN) $(LDFLAGS)
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

SRC := $(filter-out setup/main.c setup/runtime/main.c,$(wildcard setup/*.c setup/*/*.c units/*.c rules/*.c rules/*/*.c))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
UNIT := $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(wildcard t/unit/*.c))

Q := $(if $(V),,@)

all: $(BUILD)/cloud-audit-setup $(BUILD)/cloud-audit-runtime $(BUILD)/cloud-audit-tty

$(BUILD)/cloud-audit-setup: $(BUILD)/obj/setup/main.o $(BUILD)/libcas.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# Goes onto hosts whatever their C library is: static, and small with musl. Its objects are its own, below runtime/; the
# same sources but main.c are in the library, too, for the tests.
RUNTIME_OBJ := $(patsubst %.c,$(BUILD)/runtime/%.o,$(wildcard setup/runtime/*.c) setup/base/sha256.c)
# It stands in every start of a container and every probe: no page is touched that need not be. In place of probing each page
# of a frame (-fstack-clash-protection) the compiler sees to it that no frame passes what the kernel leaves free below a stack.
RUNTIME_CFLAGS := -std=gnu11 -O2 -fno-pie -I. -isystem $(BUILD)/include -D_GNU_SOURCE $(WARN) -fstack-protector-strong \
	-Wvla -Wframe-larger-than=49152 -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections

$(BUILD)/cloud-audit-runtime: $(RUNTIME_OBJ)
	@echo "  LD   $@"
	$(Q)$(RUNTIME_CC) -static -s -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,relro,-z,now -Wl,-z,noexecstack -o $@ $^

# A header and nothing else; musl's compiler does not look where the C library's lie.
$(BUILD)/include/jsmn.h: Makefile
	@mkdir -p $(@D)
	@header=$$(echo '#include <jsmn.h>' | $(CC) $(CPPFLAGS) -M -x c - 2>/dev/null | tr ' ' '\n' | grep 'jsmn\.h$$') || \
		{ echo "jsmn.h is missing: apt-get install libjsmn-dev" >&2; exit 1; }; ln -sf "$$header" $@

$(BUILD)/runtime/%.o: %.c Makefile $(BUILD)/include/jsmn.h
	@echo "  CC   $< (static)"
	@mkdir -p $(@D)
	@command -v $(RUNTIME_CC) >/dev/null || { echo "$(RUNTIME_CC) is missing: apt-get install musl-tools" >&2; exit 1; }
	$(Q)$(RUNTIME_CC) $(RUNTIME_CFLAGS) -MMD -MP -c -o $@ $<

# As it was called in version 0.1.
$(BUILD)/cloud-audit-tty: $(BUILD)/cloud-audit-runtime
	$(Q)cp $< $@

$(BUILD)/libcas.a: $(OBJ)
	@echo "  AR   $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The flags are in the Makefile: what was built with others is built again.
$(BUILD)/obj/%.o: %.c Makefile
	@echo "  CC   $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libcas.a
	@echo "  LD   $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libcas.a $(LDLIBS) -lcmocka -pthread

-include $(OBJ:.o=.d) $(RUNTIME_OBJ:.o=.d) $(BUILD)/obj/setup/main.d $(UNIT:=.d) $(BUILD)/names.d

# Prints the kernel's names and numbers, for k8s/tables.
$(BUILD)/names: k8s/names.c $(BUILD)/libcas.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libcas.a $(LDLIBS)

unit-tests: $(UNIT) $(BUILD)/names

# What building and testing needs, by Debian package name.
DEPS_BUILD := gcc musl-tools libc6-dev make pkg-config libsystemd-dev libaudit-dev libinih-dev libjsmn-dev
DEPS_TEST := openssh-client strace perl libcmocka-dev clang libclang-rt-14-dev systemd diffutils patch \
	qemu-system-x86 qemu-utils mmdebstrap e2fsprogs cpio kmod zstd xz-utils qemu-user-static \
	libyaml-libyaml-perl python3-jsonschema yamllint unzip ruby lua5.1 valgrind mandoc zsh systemd-journal-remote libtap-formatter-junit-perl cloud-init bash-completion gcovr prometheus \
	libjson-xs-perl libio-socket-ssl-perl luajit \
	$(if $(shell command -v npm),,npm)
DEPS_IMAGE := git mmdebstrap buildah perl
DEPS_DEB := dpkg-dev debhelper lintian
DEPS_RELEASE := gnupg gpgv
# What tests ask for that make check leaves out (t/86): check-suites installs it, deps does not.
DEPS_SUITES := qemu-system-arm gcc-aarch64-linux-gnu
# What Kubernetes is built with (t/cluster/kubernetes): check-cluster installs it.
DEPS_CLUSTER := golang-go dpkg-dev patch

# What deps installs: for make demo and make check all of them, for the others their own.
DEPS ?= $(DEPS_BUILD) $(DEPS_TEST) $(DEPS_IMAGE) $(DEPS_DEB) $(DEPS_RELEASE)

deps:
	@missing=$$(for p in $(sort $(DEPS)); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || echo $$p; done); \
	[ -n "$$missing" ] || exit 0; \
	echo "installing:" $$missing; \
	[ "$$(id -u)" = 0 ] || { echo "run as root: apt-get install" $$missing >&2; exit 1; }; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -q update >/dev/null && \
	apt-get -q install -y --no-install-recommends $$missing >$(DEPS_LOG) 2>&1 || \
	{ tail -20 $(DEPS_LOG) >&2; exit 1; }; \
	rm -f $(DEPS_LOG)
DEPS_LOG := .deps.log

# Recursive makes, because pkg-config may have come with the first one.
demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@t/vm/demo

image:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS_IMAGE)"
	@container/image

deb:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS_BUILD) $(DEPS_DEB)"
	@setup/debian/build

dist-node:
	@$(MAKE) --no-print-directory deps DEPS="$(filter-out buildah,$(DEPS_IMAGE))"
	@container/dist-node

chart:
	@container/chart

release:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS_BUILD) $(DEPS_IMAGE) $(DEPS_DEB) $(DEPS_RELEASE)"
	@container/release

bench:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@t/vm/bench
	@t/vm/bench-rules

bench-rules:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@t/vm/bench-rules

# What failed, and what it says.
SHOW := --failures --comments

# Backwards, so that the long ones come first and none is left over for one processor alone. The tests that need no
# machine run a second time with the sanitizers in.
TESTS = $(shell ls -r t/*.t)
SANITIZED = $(filter-out t/4%.t t/5%.t t/6%.t t/7%.t t/8%.t t/9%.t,$(TESTS))
# What one runs between two edits: no machine, no root, nothing installed or fetched. Of the longest it is the part
# that they take of themselves with the sanitizers in; check runs them whole. One more than processors: some wait, and
# those are begun first.
HOST_TESTS = $(call waiting_first,$(filter-out t/13-rules-classes.t t/17-fuzz.t t/27-apiserver.t t/27-chart.t t/27-kubernetes.t t/27-smoke-jobs.t t/36-sizes.t,$(SANITIZED)))
HOST_LONG = t/16-hostile-host.t t/20-unit-bus.t t/38-apply-faults.t t/38-power-cut.t
WAITING = t/20-unit-bus.t t/20-unit-steps.t t/38-power-cut.t
waiting_first = $(filter $(WAITING),$(1)) $(filter-out $(WAITING),$(1))
check-host:
	@$(MAKE) --no-print-directory -j2 SANITIZE=address,undefined all unit-tests
	@$(MAKE) --no-print-directory -j2 all unit-tests
	BUILD=build/sanitize prove -j3 --timer $(SHOW) $(HOST_TESTS)
	prove -j3 --timer $(SHOW) $(filter-out $(HOST_LONG),$(HOST_TESTS))

# How much of setup/, units/ and rules/ the host tests come through, by room; it fails below these percentages. Left
# out: setup/runtime/main.c, which is in the static program only; t/14, which looks at how the
# program is built, t/37, which traces what the counts write, too, and what runs nothing of it.
COVERAGE_LINES ?= 95
COVERAGE_BRANCHES ?= 85
COVERAGE := BUILD=build/coverage CFLAGS="-O0 -g --coverage" LDFLAGS=--coverage FORTIFY=0
COVERING = $(filter-out t/14-%.t t/2%-rooms.t t/26-%.t t/27-%.t t/28-%.t t/37-%.t,$(HOST_TESTS))
coverage:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory -j2 $(COVERAGE) all unit-tests
	@# Some tests run the program as nobody, and its counts are kept, too.
	@find build/coverage -name '*.gcda' -delete; chmod -R a+rwX build/coverage
	@# Nor is what is there no more counted as never run.
	@cd build/coverage/obj && find . -name '*.gcno' | while read -r f; do \
		[ -f "../../../$${f%.gcno}.c" ] || rm "$$f"; done
	@$(MAKE) --no-print-directory $(COVERAGE) coverage-run
coverage-run:
	@BUILD=$(BUILD) prove -j2 --timer $(SHOW) $(COVERING)
	@t/unit/coverage $(BUILD) $(COVERAGE_LINES) $(COVERAGE_BRANCHES)

check:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory -j2 CC=clang BUILD=build/clang all unit-tests
	@$(MAKE) --no-print-directory -j2 SANITIZE=address,undefined all unit-tests
	@$(MAKE) --no-print-directory -j2 all unit-tests
	BUILD=build/sanitize prove -j3 --timer $(SHOW) $(call waiting_first,$(SANITIZED))
	FUZZ_TIME=$(FUZZ_TIME) prove -j2 --timer $(SHOW) $(TESTS)
# Seconds for each fuzzer; check-suites gives each a minute.
FUZZ_TIME ?= 10

# Every test of machines on each suite; `make check` has most on bookworm alone. Too long for every change.
SUITES ?= bullseye trixie forky
check-suites:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS) $(DEPS_SUITES)"
	@$(MAKE) --no-print-directory all
	@t/vm/suites $(SUITES)

# k8s/ on a cluster of two test machines, or NODES=1; SCENES: some of t/cluster/scenes; KUBE_BIN=DIR: with other programs of
# Kubernetes than those that are built, once, below build/kubernetes.
check-cluster:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS) $(if $(KUBE_BIN),,$(DEPS_CLUSTER))"
	@$(MAKE) --no-print-directory all
	@t/cluster/lanes

# Fuzzers: the library with coverage and sanitizers, each target for TIME seconds, on a corpus that grows in
# build/corpus and starts from t/fuzz/corpus/NAME, or what t/fuzz/NAME-corpus makes of the vectors. t/17-fuzz.t
# runs each for FUZZ_TIME seconds.
TIME ?= 60
FUZZ := $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c))

$(BUILD)/fuzz-%: t/fuzz/%.c $(BUILD)/libcas.a
	@echo "  LD   $@"
	$(Q)clang $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -fsanitize=fuzzer -o $@ $< $(BUILD)/libcas.a $(LDLIBS)

-include $(FUZZ:%=$(BUILD)/fuzz-%.d)

# A fuzzer and the library, but for one source that has a fault: below plant/, where t/17-fuzz.t has put it.
$(BUILD)/plant-%: t/fuzz/%.c $(BUILD)/plant/%.c $(BUILD)/libcas.a
	$(Q)clang $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/plant/$*.c $(BUILD)/libcas.a $(LDLIBS)

planted:
	@$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz SANITIZE=fuzzer-no-link,address,undefined \
		$(FUZZ:%=build/fuzz/plant-%)

fuzzers:
	@$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz SANITIZE=fuzzer-no-link,address,undefined \
		$(FUZZ:%=build/fuzz/fuzz-%)

fuzz:
	@$(MAKE) --no-print-directory deps
	@FUZZ_TIME=$(TIME) FUZZ_JOBS=1 prove -v t/17-fuzz.t

# What the shippers know of audit records, from k8s/entry.table and the names of rules/.
tables: $(BUILD)/names
	@echo "  GEN  audit_table.rb audit_table.lua"
	$(Q)$(BUILD)/names >$(BUILD)/names.txt && k8s/tables $(BUILD)/names.txt

# The flat files and the chart of k8s/, from its kustomizations.
manifests: tables $(BUILD)/cloud-audit-setup
	@set -e; kubectl=$$(t/k8s/kubectl); for d in base:logging remove:remove; do \
		dir=k8s/$${d%:*} flat=k8s/cloud-audit-$${d#*:}.yaml; echo "  GEN  $$flat"; \
		{ echo "# Rendered by \`make manifests\` (kubectl kustomize $$dir), where the comments are. Do not edit."; \
		  $$kubectl kustomize $$dir; } >$$flat.new; mv $$flat.new $$flat; \
	done
	@echo "  GEN  k8s/chart"
	$(Q)$(BUILD)/cloud-audit-setup --help settings >$(BUILD)/settings.txt && k8s/make-chart $(BUILD)/settings.txt

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/rules \
		$(DESTDIR)$(PREFIX)/share/doc/cloud-audit-setup
	install -m 0755 $(BUILD)/cloud-audit-setup $(DESTDIR)$(PREFIX)/sbin/
	install -d $(DESTDIR)$(PREFIX)/libexec/cloud-audit-setup
	install -m 0755 $(BUILD)/cloud-audit-runtime $(BUILD)/cloud-audit-tty $(DESTDIR)$(PREFIX)/libexec/cloud-audit-setup/
	install -m 0644 $(wildcard rules/*.rules) $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/rules/
	install -m 0644 setup/output/output.schema.json $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/
	install -d $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/smoke
	install -m 0755 t/smoke $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/smoke/smoke
	install -m 0644 t/vm/guest.sh t/vm-events/act.c $(wildcard t/smoke.d/*) $(DESTDIR)$(PREFIX)/share/cloud-audit-setup/smoke/
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	sed 's|/usr/local/share/cloud|$(PREFIX)/share/cloud|' setup/man/cloud-audit-setup.8 \
		>$(DESTDIR)$(PREFIX)/share/man/man8/cloud-audit-setup.8
	chmod 0644 $(DESTDIR)$(PREFIX)/share/man/man8/cloud-audit-setup.8
	install -D -m 0644 setup/man/cloud-audit-setup.ini.5 $(DESTDIR)$(PREFIX)/share/man/man5/cloud-audit-setup.ini.5
	install -D -m 0644 setup/completion/bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/cloud-audit-setup
	install -D -m 0644 setup/completion/zsh \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cloud-audit-setup
	install -m 0644 README.md LICENSE NOTICE $(DESTDIR)$(PREFIX)/share/doc/cloud-audit-setup/
	for file in rules/README.md rules/CIS-STIG.md k8s/README.md k8s/QUESTIONS.md k8s/data-flow.svg; do \
		install -D -m 0644 $$file $(DESTDIR)$(PREFIX)/share/doc/cloud-audit-setup/$$file || exit 1; done

# The head of this file.
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

clean:
	rm -rf $(BUILD)

.PHONY: all unit-tests deps demo image deb dist-node chart release bench bench-rules check check-host check-suites check-cluster coverage coverage-run fuzz fuzzers planted manifests tables install help clean
