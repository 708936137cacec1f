# Short names for what one does daily. Meson and scripts/ do the work; web/ is built by npm, and
# only when its sources are newer than what it made.
#
#   make run      installs what is missing, builds, starts; ARGS='--listen [::1]:9000' is passed on
#   make build    build/parley
#   make test     everything that .ci/run checks; ends with "N passed, N failed"
#   make bench    the measurements of bench/
#   make fuzz     each fuzz target for FUZZ_SECONDS (60)
#   make lint     the checks, clang-tidy, clang-format, Biome and tsc
#   make format   rewrites C and TypeScript as the formatters want them, and docs/configuration.md
#   make clean    removes what was built
.SUFFIXES:
.PHONY: run build test bench lint format fuzz clean web

FUZZ_SECONDS = 60
ARGS =

run: build
	@exec build/parley $(ARGS)

build:
	@scripts/install-deps build web
	@$(MAKE) --no-print-directory -s web
	@scripts/build release

test:
	@scripts/install-deps build web test
	@$(MAKE) --no-print-directory -s web
	@scripts/run-tests $(STAGES)

bench:
	@scripts/install-deps build web bench
	@$(MAKE) --no-print-directory -s web
	@scripts/build release
	@bench/run $(ARGS)

fuzz:
	@scripts/install-deps build fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz $(ARGS)

lint:
	@scripts/install-deps build web test lint
	@$(MAKE) --no-print-directory -s web
	@scripts/lint

format:
	@scripts/install-deps build web test lint
	@$(MAKE) --no-print-directory -s web
	@scripts/lint --fix

clean:
	rm -rf build build-* web/dist web/node_modules

web: web/dist/index.html

# Directories are listed as well: they change when a file goes away.
WEB_SOURCES = $(shell find web -maxdepth 1 -type f) \
	$(shell find web/app web/sdk web/scripts schema -name 'dist*' -prune -o \
		-not -name LICENSE -not -name wire-types.ts -print)

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "== web: npm run build"
	@cd web && npm run --silent build
	@touch $@

# npm ci writes this file last.
web/node_modules/.package-lock.json: web/package-lock.json web/package.json
	@echo "== web: npm ci"
	@cd web && npm ci --no-audit --no-fund
	@touch $@
