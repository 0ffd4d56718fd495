# Everything that is done with this repository; `make demo` and `make test` need nothing prepared.

CARGO     ?= cargo
ROOT      ?= /usr/local/mgr5
CARGO_RUN  = $(CARGO) run --quiet --locked

.PHONY: demo build test soak bench lint check mariadb install clean help

help:          ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

demo: build    ## run the main job in the sandbox: two clients order VPSes, the real binary serves them
	$(CARGO) build --quiet --locked -p sandbox --bins
	target/debug/demo target/release/pmvmmanager6

build:         ## the module, as it is installed: target/release/pmvmmanager6
	$(CARGO) build --quiet --locked --release -p pmvmmanager6

test: lint mariadb ## formatting, clippy, unit tests, integration tests on SQLite and on a real MariaDB
	$(CARGO) build --locked --workspace --bins --features pmvmmanager6/faults
	$(CARGO) test --locked --workspace --features pmvmmanager6/faults

lint:          ## formatting and clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features pmvmmanager6/faults -- -D warnings
	$(CARGO) clippy --locked -p pmvmmanager6 -- -D warnings

soak:          ## the heavy tests of the queue: hundreds of processes, a thousand rounds with random kills
	$(CARGO) test --locked -p pmvmmanager6 --features soak --test soak -- --test-threads=1

bench:         ## measure against the budgets of the design
	$(CARGO) bench --locked -p pmvmmanager6 --features faults --bench queue --bench setup

mariadb:       ## the database server that the tests start on a private socket
	@packaging/need-mariadb

install: build ## copy the module into $(DESTDIR)$(ROOT)
	install -D -m 0755 target/release/pmvmmanager6 $(DESTDIR)$(ROOT)/processing/pmvmmanager6
	install -D -m 0644 xml/billmgr_mod_pmvmmanager6.xml $(DESTDIR)$(ROOT)/etc/xml/billmgr_mod_pmvmmanager6.xml

clean:         ## remove what was built
	$(CARGO) clean
