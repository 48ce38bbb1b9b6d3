# One-word targets. Each installs what it needs first and only what is missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check security chaos bench sbom audit diagram install server compose-check python

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: python ## Asterisk, rtpengine and the front end on this machine; ASTERISK=22, HOST=ADDRESS (https, sign-in)
	@ASTERISK='$(ASTERISK)' HOST='$(HOST)' python3 -m deploy.demo

test: python ## every test layer, one line each
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.run_layers

check: python ## the quick layers only: no Asterisk, no browser
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.run_layers style types imports web unit

security: python ## attacks that must fail
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.run_layers security

chaos: python ## faults during calls, measured: RUNS=5, SOAK=30 (minutes), CASES="…"
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.chaos --runs $(or $(RUNS),5) --soak $(or $(SOAK),30) $(CASES)

bench: python ## set-up times beside the bare-minimum script's, CPU and memory a call, pages of CDRs
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.bench
	@.venv/bin/python -m tests.bench.warm
	@.venv/bin/python -m tests.bench.cdr_pages
	@.venv/bin/python -m tests.bench.gates

diagram: python ## draw the state diagram in docs/ from the transition table
	@python3 -m deploy.demo.install test
	@.venv/bin/python -m tests.state_diagram docs/design.md

sbom: python ## what the product is made of: CycloneDX files in sbom/
	@python3 -m deploy.supply_chain sbom

audit: python ## ask the registries for known vulnerabilities: status 1 if there are some, 2 if one has no answer
	@python3 -m deploy.supply_chain audit

compose-check: python ## build, start and stop compose.yml without a Docker engine (podman)
	@bash deploy/compose_check.sh

install: python ## install what the demo needs, start nothing
	@python3 -m deploy.demo.install demo

server: python ## install the server alone, for an Asterisk of your own (README)
	@python3 -m deploy.demo.install server

# A plain Debian has no Python: the one thing that is needed to install the rest.
python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo '  … Python'; mkdir -p .demo; \
	  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install --yes --no-install-recommends \
	    -o DPkg::Lock::Timeout=300 python3 python3-venv; } >.demo/python.log 2>&1 \
	  || { tail -5 .demo/python.log; echo 'Python could not be installed. All of the output: .demo/python.log'; exit 1; }; }
