# Wirelab: small socket programs, and a lab to see what TCP and UDP do.
#
#   make            the programs, in build/bin/
#   make demo       the first look      make check    every test
#   make lint       the style checks    make bench    the event loop measured
#   make clean      remove build/
#   make tarball    the programs without dependencies, and the labs, for a stick
#   make install PREFIX=/usr/local DESTDIR=      make uninstall
#
# SAN=address,undefined or SAN=thread builds with sanitizers, in a build
# directory of its own; it goes with every target above.

VERSION := 0.1
PREFIX ?= /usr/local
CC ?= cc
CFLAGS ?= -O2 -g
WERROR ?=
FUZZ_TIME ?= 60
SAN ?=

comma := ,
BUILD := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)

override CPPFLAGS += -D_GNU_SOURCE -DWIRELAB_VERSION='"$(VERSION)"' -Icommon
override CFLAGS += -std=c11 -Wall -Wextra -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes $(WERROR) -pthread
ifneq ($(SAN),)
override CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer \
    -fno-sanitize-recover=all
endif

JANSSON := $(or $(call pkg,--libs,jansson),-ljansson)
EVENT := $(or $(call pkg,--libs,libevent_core),-levent_core)
PCAP := $(or $(call pkg,--libs,libpcap),-lpcap)
override CPPFLAGS += $(call pkg,--cflags,jansson libevent_core libpcap)

# Other languages: catalogues, found beside the programs. GETTEXT= makes none.
# Outside of glibc and musl gettext(3) has a library of its own.
GETTEXT ?= $(shell command -v msgfmt)
LANGUAGES := $(if $(GETTEXT),$(patsubst po/%.po,%,$(wildcard po/*.po)))
CATALOGUES := $(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/wirelab.mo)
ifneq ($(GETTEXT),)
override LDLIBS += $(if $(filter Linux,$(shell uname)),,-lintl)
endif

# A program is a directory; it links common/ and what it uses, no more.
PROGRAMS := tcp_server tcp_client udp_server udp_client wirelab
LIBS_tcp_server := $(EVENT) $(JANSSON)
LIBS_tcp_client := $(EVENT) $(JANSSON)
LIBS_udp_server := $(EVENT) $(JANSSON)
LIBS_udp_client := $(JANSSON)
LIBS_wirelab := $(EVENT) $(JANSSON) $(PCAP)

BINARIES := $(addprefix $(BUILD)/bin/,$(PROGRAMS))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard $(1))))
COMMON := $(BUILD)/libcommon.a

# The unit tests see the modules of the lab too, all but its main.
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
LAB := $(filter-out $(BUILD)/obj/wirelab/main.o,$(call objects,wirelab/*.c))

.PHONY: all bench demo check tests lint fuzz clean install install-apparmor \
    uninstall tarball
all: $(BINARIES) $(CATALOGUES)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(COMMON): $(call objects,common/*.c)
	@rm -f $@
	$(AR) rcs $@ $^

.SECONDEXPANSION:
$(BINARIES): $(BUILD)/bin/%: $$(call objects,%/*.c) $(COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LDLIBS)

$(BUILD)/locale/%/LC_MESSAGES/wirelab.mo: po/%.po
	@mkdir -p $(@D)
	msgfmt -o $@ $<

$(BUILD)/obj/tests/%.o: override CPPFLAGS += -Iwirelab
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(LAB) $(COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(EVENT) $(JANSSON) $(PCAP) -lcmocka

tests: $(UNIT)

# Of clang alone; scripts/fuzz says with which SAN.
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(LAB) $(COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ \
	    $(EVENT) $(JANSSON) $(PCAP)

# What the event loop is measured against, and with: tests/bench/run.
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON)
bench: $(BINARIES) $(BENCH)
	BUILD=$(BUILD) tests/bench/run
	BUILD=$(BUILD) tests/bench/measure
	BUILD=$(BUILD) tests/bench/wire

demo:
	./scripts/demo
check:
	SAN=$(SAN) ./scripts/check
lint:
	./scripts/lint
fuzz:
	FUZZ_TIME=$(FUZZ_TIME) ./scripts/fuzz

MAN := $(wildcard docs/man/*.1)
COMPLETION := scripts/completion.bash
DOCS := $(shell find docs -name man -prune -o -name '[!.]*[!~]' -type f -print)
DOCDIR = $(PREFIX)/share/doc/wirelab
BIN := $(BINARIES)
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(addprefix $(DESTDIR)$(DOCDIR)/,$(sort $(dir $(DOCS))))
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(MAN) $(DESTDIR)$(PREFIX)/share/man/man1
	for f in $(wildcard README*.md) LICENSE $(DOCS); do \
	    install -m 644 $$f $(DESTDIR)$(DOCDIR)/$$f || exit 1; done
	for l in $(LANGUAGES); do \
	    install -d $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES && \
	    install -m 644 $(BUILD)/locale/$$l/LC_MESSAGES/wirelab.mo \
	    $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES || exit 1; done
	for p in $(PROGRAMS); do install -m 644 $(COMPLETION) \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p || exit 1; done
uninstall:
	for p in $(PROGRAMS); do rm -f $(DESTDIR)$(PREFIX)/bin/$$p \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p; done
	for m in $(notdir $(MAN)); do \
	    rm -f $(DESTDIR)$(PREFIX)/share/man/man1/$$m; done
	for l in $(LANGUAGES); do \
	    rm -f $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES/wirelab.mo; \
	    done
	rm -rf $(DESTDIR)$(DOCDIR)

# Ubuntu 24.04 lets only programs with a profile make user namespaces.
install-apparmor: install
	sed 's|@BINDIR@|$(PREFIX)/bin|' scripts/wirelab.apparmor \
	    >$(DESTDIR)/etc/apparmor.d/wirelab
	apparmor_parser -r $(DESTDIR)/etc/apparmor.d/wirelab

# For machines that have nothing: linked statically (the linker's warnings are
# answered by scripts/static.c), and packed the same way each time.
STATIC := $(addprefix $(BUILD)/static/,$(PROGRAMS))
$(STATIC): $(BUILD)/static/%: $$(call objects,%/*.c) \
    $(BUILD)/obj/scripts/static.o $(COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -static -s -o $@ $^ $(LIBS_$*)

NAME := wirelab-$(VERSION)-$(shell uname -m)
STAGE := $(BUILD)/tarball/$(NAME)
LICENSES := $(wildcard $(patsubst %,/usr/share/doc/%-dev/copyright, \
    libc6 libevent libjansson libpcap0.8))
LOCALE := $(wildcard /usr/lib/locale/C.utf8)
tarball: $(STATIC) $(CATALOGUES)
	rm -rf $(BUILD)/tarball
	$(MAKE) -o all install BIN='$(STATIC)' DESTDIR= PREFIX=$(STAGE)
	mv $(STAGE)/share/doc/wirelab/* $(STAGE) && rm -r $(STAGE)/share/doc
	for f in $(LICENSES); do d=$${f%/*}; \
	    install -D -m 644 $$f $(STAGE)/licenses/$${d##*/} || exit 1; done
	for f in LC_CTYPE LC_MESSAGES/SYS_LC_MESSAGES; do [ -z '$(LOCALE)' ] || \
	    install -D -m 644 $(LOCALE)/$$f $(STAGE)/share/locale/C.utf8/$$f || \
	    exit 1; done
	tar -C $(BUILD)/tarball --sort=name --owner=0 --group=0 --numeric-owner \
	    --mode=u=rwX,go=rX --mtime=@$${SOURCE_DATE_EPOCH:-$$( \
	    git log -1 --format=%ct 2>/dev/null || date -r Makefile +%s)} \
	    -I 'gzip -n' -cf $(BUILD)/$(NAME).tar.gz $(NAME)
	@ls -lh $(BUILD)/$(NAME).tar.gz

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
