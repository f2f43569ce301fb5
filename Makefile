# Reelwright. `make demo` renders the sample ad, `make test` runs the tests; both install missing Debian packages first.

SHELL := /bin/bash
PREFIX ?= /usr/local
SWIFT ?= swift
RELEASE := .build/release

# To compile and link: what Swift itself needs of the system, then the C libraries.
BUILD_PACKAGES := binutils libc6-dev libstdc++-12-dev libgcc-12-dev pkg-config zlib1g-dev libxml2 libedit2 tzdata ca-certificates \
	libavformat-dev libavcodec-dev libavfilter-dev libswscale-dev libswresample-dev libavutil-dev \
	libsqlite3-dev libpq-dev libsodium-dev libssl-dev libcurl4-openssl-dev libass-dev libturbojpeg0-dev libfftw3-dev \
	libfreetype-dev libharfbuzz-dev libfontconfig-dev liblcms2-dev libheif-dev libwebp-dev libseccomp-dev libebur128-dev

# What captions and labels are drawn with.
FONT_PACKAGES := fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji

# Independent judges and fault injection for the tests.
TEST_PACKAGES := ffmpeg zzuf curl postgresql-15 sqlite3 strace faketime groff-base procps util-linux openssl python3 python3-numpy python3-cryptography python3-jsonschema imagemagick iproute2

.PHONY: all build packages test-packages demo test test-slow test-asan test-tsan fuzz bench docs format lint install clean

all: build

build: packages
	$(SWIFT) build -c release --product reel
	$(SWIFT) build -c release --product reel-worker

packages:
	@./.ci/install-packages $(BUILD_PACKAGES) $(FONT_PACKAGES)

test-packages: packages
	@./.ci/install-packages $(TEST_PACKAGES)

# The sample ad: rendered, checked against its plan, and drawn as a contact sheet.
demo: build
	@./Samples/demo.sh $(RELEASE)

# Debug build, every fast test. Tests that need a longer run are in test-slow.
test: test-packages
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build

# Release build, every test, the slow ones too.
test-slow: test-packages
	$(SWIFT) build -c release --build-tests -Xswiftc -enable-testing
	REELWRIGHT_SLOW=1 $(SWIFT) test -c release -Xswiftc -enable-testing --skip-build
	./.ci/jobs-acceptance $(RELEASE)
	python3 Tests/Faults/mutated_files.py --reel $(RELEASE)/reel --count 152
	python3 Tests/Faults/fault_table.py --reel $(RELEASE)/reel
	$(MAKE) fuzz FUZZ_CONFIGURATION=debug FUZZ_SECONDS=3

# Our own parsers and the bridge to FFmpeg under libFuzzer, some seconds each; FUZZ_SECONDS=0 FUZZ_RUNS=1000000 for a long run. A debug build
# takes two thirds of the processor time to build and keeps its assertions.
FUZZ_SECONDS ?= 5
FUZZ_RUNS ?= -1
FUZZ_CONFIGURATION ?= release
FUZZ_FLAGS := -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing -Xswiftc -use-ld=lld
fuzz: test-packages
	REELWRIGHT_FUZZ=1 $(SWIFT) build -c $(FUZZ_CONFIGURATION) --scratch-path .build/fuzz --product fuzz-parsers $(FUZZ_FLAGS)
	python3 Tests/Fuzzing/fuzz.py --program .build/fuzz/$(FUZZ_CONFIGURATION)/fuzz-parsers --seconds $(FUZZ_SECONDS) --runs $(FUZZ_RUNS)

# Address and thread sanitizer over all suites but those of the programs. Workers come from a plain build: into their limit of address
# space no sanitizer fits. Left out: searches for marks, which take many minutes in such a build, and tests whose subject is a plain program.
# Tests/CMutexOrder shows the thread sanitizer what it cannot see of Swift's Mutex; nothing is suppressed.
SANITIZER_SKIPS := --skip WatermarkTests --skip WatermarkTaskTests --skip aMarkedPhoto --skip AllocationFailureTests --skip PowerLossTests --skip KillStormTests
SANITIZED := REELWRIGHT_SANITIZE=1 REELWRIGHT_TEST_PROGRAMS=$(CURDIR)/.build/debug REELWRIGHT_WORKER=$(CURDIR)/.build/debug/reel-worker

test-asan: test-packages
	$(SWIFT) build --build-tests
	REELWRIGHT_SANITIZE=1 $(SWIFT) build --build-tests --scratch-path .build/asan --sanitize=address
	$(SANITIZED) ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --skip-build --scratch-path .build/asan --sanitize=address $(SANITIZER_SKIPS)

test-tsan: test-packages
	$(SWIFT) build --build-tests
	REELWRIGHT_SANITIZE=1 $(SWIFT) build --build-tests --scratch-path .build/tsan --sanitize=thread
	$(SANITIZED) $(SWIFT) test --skip-build --scratch-path .build/tsan --sanitize=thread $(SANITIZER_SKIPS)

# Ours against peers, paired and interleaved; writes Benchmarks/RESULTS.md and Benchmarks/results.json.
bench: build test-packages
	$(SWIFT) build -c release --product decode-to-nothing
	$(SWIFT) build -c release --product jobs-costs
	python3 Benchmarks/run.py --reel $(RELEASE)/reel
	python3 Benchmarks/jobs.py --build $(RELEASE) --clips "$${REELWRIGHT_CLIPS:-.build/clips}"

# API documentation in .build/documentation; a broken link is an error.
docs: packages
	@./.ci/build-docs

format:
	$(SWIFT) format -i --configuration .swift-format -r Package.swift Sources Tests Samples

lint:
	$(SWIFT) format lint --strict --configuration .swift-format -r Package.swift Sources Tests Samples

install: build
	install -D -m 755 $(RELEASE)/reel $(DESTDIR)$(PREFIX)/bin/reel
	install -D -m 755 $(RELEASE)/reel-worker $(DESTDIR)$(PREFIX)/bin/reel-worker
	$(RELEASE)/reel help --man > $(RELEASE)/reel.1
	install -D -m 644 $(RELEASE)/reel.1 $(DESTDIR)$(PREFIX)/share/man/man1/reel.1
	$(RELEASE)/reel help --completion bash > $(RELEASE)/reel.bash
	$(RELEASE)/reel help --completion zsh > $(RELEASE)/_reel
	$(RELEASE)/reel help --completion fish > $(RELEASE)/reel.fish
	install -D -m 644 $(RELEASE)/reel.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/reel
	install -D -m 644 $(RELEASE)/_reel $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_reel
	install -D -m 644 $(RELEASE)/reel.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/reel.fish

clean:
	rm -rf .build
