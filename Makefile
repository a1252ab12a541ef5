# The build tree mirrors the install tree: build/bin/bryo finds build/libexec/bryo/bryo-* beside it.
BUILD   ?= build
CC      ?= cc
PKG     ?= pkg-config
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wundef -Wvla
HARDEN  := -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ALL_CPPFLAGS := -I. -D_GNU_SOURCE $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu17 $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

LIBS  := base job image sandbox run
all: $(BUILD)/bin/bryo
.PHONY: all
.DELETE_ON_ERROR:

objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))
define lib_rule
$(BUILD)/lib/lib$(1).a: $(call objs,internal/$(1))
endef
$(foreach l,$(LIBS),$(eval $(call lib_rule,$(l))))
$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/bin/bryo: $(call objs,cmd/bryo) $(foreach l,run image sandbox job base,$(BUILD)/lib/lib$(l).a)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
