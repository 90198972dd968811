# Set-up is part of every target: a Debian machine with Go, make and git is enough.

.DEFAULT_GOAL := help
.PHONY: help demo build test check bench soak fuzz cover \
	check-format check-vet check-lint check-tools check-layout check-modules check-generated

ARGS     ?=
FUZZTIME ?= 1m

# The version of a binary is that of its commit. Without a repository that git trusts it
# is "devel".
BUILDVCS := $(shell git status >/dev/null 2>&1 && echo auto || echo false)

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## runs the whole product in a temporary directory (ARGS=--once ends by itself)
	@bin/fingerpost demo $(ARGS)

build: ## puts a static binary at bin/fingerpost
	@CGO_ENABLED=0 go build -buildvcs=$(BUILDVCS) -trimpath -ldflags '-s -w' -o bin/fingerpost ./cmd/fingerpost

test: ## runs every test with the race detector
	@tools/need cc strace
	CGO_ENABLED=1 go test -race -shuffle=on ./...

check: check-format check-vet check-lint check-tools check-layout check-modules check-generated ## looks at form, common faults, imports, documents

check-format:
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted, run gofmt -w:" $$files; exit 1; }

check-vet:
	go vet ./...

# staticcheck and the others: tools/lint/main.go has the list and the reasons.
check-lint:
	go build -C tools -o ../bin/lint ./lint
	go vet -vettool='$(CURDIR)/bin/lint' ./...

check-tools:
	go vet -C tools ./...
	go test -C tools ./...

# Directions of imports, paths and tests named in documents, reasons of dependencies.
check-layout:
	go test -count=1 ./internal/layout

check-modules:
	go mod tidy -diff
	go -C tools mod tidy -diff

# Compares with the tree as it was, so that it also serves before a commit.
check-generated:
	@state() { git status --porcelain && git diff | git hash-object --stdin; }; \
	before=$$(state) && go generate ./... && after=$$(state) && \
	[ "$$before" = "$$after" ] || { echo "generated files were not up to date; they are now:"; git status --short; exit 1; }

bench: ## measures changes committed and delivered per second
	@go run ./internal/bench $(ARGS)

soak: ## a thousand misbehaving terminals for ten minutes (ARGS='-for 1m -terminals 100')
	@go run ./internal/soak $(ARGS)

fuzz: ## runs each fuzz target for a minute (FUZZTIME=10s)
	@go test -list '^Fuzz' ./... | \
	awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x "$$package" </dev/null || exit 1; \
	done

cover: ## says how much of each function the tests run
	@mkdir -p bin
	@go test -coverpkg=./... -coverprofile=bin/cover.out ./... >bin/cover.log || { cat bin/cover.log; exit 1; }
	@go tool cover -func=bin/cover.out
