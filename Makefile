# What each target is for: `make help`. The logic sits in scripts/.

# Arguments for the program that a target starts: make sender ARGS="--help"
ARGS ?=
# What the client and the sender connect as, and to.
export DEV_USER_ID ?= 1
export DEV_LOGIN ?= test_user

# Picks what goes wrong in a chaos run, and when; another one each time where empty.
export CHAOS_SEED ?=
# What Redis is in a chaos run: standalone, sentinel or cluster.
export CHAOS_TOPOLOGY ?=
# Length of the load of a soak.
MINUTES ?= 10

# How long make fuzz attacks each parser, and which one alone.
export FUZZ_SECONDS ?= 60
export TARGET ?=

SWIFT_SOURCES := Package.swift Sources Tests cmd examples/swift
RELEASE := .build/release

.DEFAULT_GOAL := help
.PHONY: help build run cluster redis-local client sender docker-up docker-logs docker-down test test-cluster test-asan test-tsan \
	fuzz chaos chaos-long chaos-mutants soak hostile check bench bench-rivals fmt lint

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the three programs for release
	@scripts/install.sh build
	swift build -c release

run: ## Run the server with a Redis of its own: one command from a clone to a working hub
	@scripts/install.sh run
	swift build -c release --product carillon-server
	exec $(RELEASE)/carillon-server --dev $(ARGS)

cluster: ## Run three pods behind HAProxy on one private Redis (PODS=3 PORT=8080 REDIS_PORT=6379)
	@scripts/install.sh cluster
	swift build -c release --product carillon-server
	@exec scripts/cluster.sh

redis-local: ## Run a private Redis on 127.0.0.1:6379 with scripts/redis.conf, data in .data/redis
	@scripts/install.sh redis
	@exec scripts/redis-local.sh $(ARGS)

client: ## Run a device as DEV_USER_ID and DEV_LOGIN that prints what it hears (ARGS=…)
	@scripts/install.sh build
	swift build -c release --product carillon-client
	exec $(RELEASE)/carillon-client $(ARGS)

sender: ## Send notifications (ARGS=…)
	@scripts/install.sh build
	swift build -c release --product carillon-sender
	exec $(RELEASE)/carillon-sender $(ARGS)

docker-up: ## Build the image and start Redis, three pods and HAProxy in containers
	docker compose up -d --build

docker-logs: ## Follow the containers' logs
	docker compose logs -f

docker-down: ## Stop and remove the containers; Redis's data stays in its volume
	docker compose down

test: ## Run all tests: Swift, the page in a browser, the documents for tools and the examples
	@scripts/test.sh

test-cluster: ## Run the tests that need a Redis on a cluster of three nodes (20 minutes; ARGS="--filter …")
	@scripts/test-cluster.sh $(ARGS)

test-asan: ## Run the Swift tests with the address sanitizer (ARGS="--filter …")
	@scripts/sanitize.sh address $(ARGS)

test-tsan: ## Run the Swift tests with the thread sanitizer (ARGS="--filter …")
	@scripts/sanitize.sh thread $(ARGS)

fuzz: ## Attack each parser with invented input for a while (FUZZ_SECONDS=60 TARGET=… ARGS=…)
	@scripts/fuzz.sh $(ARGS)

chaos: ## Break pods, Redis and links under load, each in every way, and count what is lost (5 minutes; CHAOS_TOPOLOGY=… ARGS=…)
	@scripts/chaos.sh --schedule standard $(ARGS)

chaos-long: ## The same for half an hour, with longer faults, some at the same time
	@scripts/chaos.sh --schedule long $(ARGS)

chaos-mutants: ## Check that chaos runs notice servers with known faults
	@scripts/chaos-mutants.sh $(ARGS)

soak: ## Load pods for MINUTES=10 with few faults, see what grows or stays, and draw .build/soak/soak.svg (ARGS=…)
	@scripts/chaos.sh --schedule soak --minutes $(MINUTES) --users 120 --rate 60 --output .build/soak $(ARGS)

check: ## Run what needs no build: format, import directions, documents, syntax
	@scripts/check.sh

hostile: ## Attack a pod as hostile clients do, and see what good users, memory and descriptors notice (ARGS=…)
	@scripts/hostile.sh $(ARGS)

bench: ## Measure rate, latency and cost under load, each cell on a Redis and a server of its own (ARGS=…)
	@scripts/bench.sh $(ARGS)

bench-rivals: ## The same in turns with nchan and NATS, where they are installed, and with SwiftNIO alone
	@scripts/bench.sh --hubs carillon,nchan,nats,bare --rounds 3 $(ARGS)

fmt: ## Format the Swift sources in place
	swift format -i -r -p $(SWIFT_SOURCES)

lint: ## Check the format of the Swift sources
	swift format lint --strict -r -p $(SWIFT_SOURCES)
