# Cloister: what there is to run. `make demo` does everything on a fresh Debian 12 with Swift 6.3.
SHELL := /bin/bash
PORT ?= 6432
DIR ?= .cloister/dev
CONFIG ?=

.PHONY: help setup build demo up down test attack bench lint format
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what is missing: Debian packages, .venv (a no-op when all is there)
	@scripts/setup.sh

build: setup ## release build: cloister, cloister-tee, the static enclave, the extension (installed)
	@scripts/build.sh

demo: build ## real data through the proxy, beside what the server holds
	@demo/run.sh

up: build ## start a private server, enclave and proxy: make up DIR=… PORT=… CONFIG=…
	@.build/release/cloister dev up --dir $(DIR) --port $(PORT) $(if $(CONFIG),--config $(CONFIG))

down: ## stop what `make up` started
	@.build/release/cloister dev down --dir $(DIR)

test: build ## everything: Swift, extension, integration, lint
	@scripts/test.sh

bench: build ## paired timings against plaintext and pgbouncer
	@scripts/bench.sh

lint: setup ## format and shell syntax
	@scripts/lint.sh

format: ## rewrite Swift files as the lint wants them
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

attack: build ## play the database host's root and its administrator against a stack: what is tried, and what comes of it
	@.venv/bin/python Tests/Attack
