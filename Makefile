# Verbs; the build itself is CMakeLists.txt with the presets in CMakePresets.json.
.PHONY: build help dev quick test demo tsan fuzz format tidy bench install deb clean

build:    ## build/release/winnow (the default)
	tools/build.sh release
help:     ## these lines
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16
deps:     ## install what building and testing need (apt)
	tools/install-deps.sh test
dev:      ## build/dev: sanitizers on, warnings are errors, no status dropped
	tools/build.sh dev
quick:    ## the tests of a minute: unit, cases, golden, fuzz replay
	tools/build.sh release
	ctest --preset release -L quick -j 2
test:     ## everything ./test does
	./test
demo:     ## the main job on Debian's documentation
	./demo
tsan:     ## the quick tests under ThreadSanitizer
	tools/build.sh tsan
	ctest --preset tsan -L quick
fuzz:     ## every fuzz target for SECONDS each (60)
	tools/fuzz.sh $(or $(SECONDS),60)
format:   ## clang-format in place
	find src include tests bench -name '*.[ch]' -o -name '*.cc' | xargs clang-format -i
tidy:     ## clang-tidy, every file
	tools/check-tidy.sh
install:  ## to /usr/local, or DESTDIR=... PREFIX=...
	tools/build.sh release
	cmake --install build/release $(if $(PREFIX),--prefix $(PREFIX))
deb:      ## build/release/winnow_VERSION_ARCH.deb
	tools/build.sh release
	cpack --config build/release/CPackConfig.cmake -B build/release
clean:    ## remove build/
	rm -rf build
