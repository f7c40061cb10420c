# cloud-audit-setup: build, install, test. `make help` lists the targets.
CC ?= gcc
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
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
ifeq ($(SAN),)
HARDEN += -D_FORTIFY_SOURCE=2
endif
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) $(SAN)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DDEFAULT_ROOT='"$(DEFAULT_ROOT)"' \
	-DRULES_DIR='"$(PREFIX)/share/cloud-audit-setup/rules"' $(CPPFLAGS) \
	$(shell $(PKG_CONFIG) --cflags $(LIBS))
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN) $(LDFLAGS)
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

SRC := $(filter-out setup/main.c,$(wildcard setup/*.c units/*.c rules/*.c))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
UNIT := $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(wildcard t/unit/*.c))

Q := $(if $(V),,@)

all: $(BUILD)/cloud-audit-setup

$(BUILD)/cloud-audit-setup: $(BUILD)/obj/setup/main.o $(BUILD)/libcas.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libcas.a: $(OBJ)
	@echo "  AR   $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@echo "  CC   $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libcas.a
	@echo "  LD   $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libcas.a $(LDLIBS) -lcmocka

-include $(OBJ:.o=.d) $(BUILD)/obj/setup/main.d $(UNIT:=.d)

unit-tests: $(UNIT)

clean:
	rm -rf $(BUILD)

.PHONY: all unit-tests clean
