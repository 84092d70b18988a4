# Every test of the house.  Labels: quick or slow, and the kind, which is the name's first
# word: `ctest -L quick`, `ctest -L fault`.
find_path(CMOCKA_INCLUDE cmocka.h)
find_library(CMOCKA_LIB cmocka)
if(NOT CMOCKA_INCLUDE OR NOT CMOCKA_LIB)
  message(STATUS "no cmocka (libcmocka-dev): building without tests")
  return()
endif()

# tests/unit/test_<name>.c, one binary each.
set(UNIT_TESTS
  arena
  arm_way
  band
  base
  batch_choice
  resample
  blocklist
  call
  choice
  correct
  dedup
  derive
  document
  document_score
  draw
  engine
  examples
  example_text
  expert
  findings
  fit
  gemm
  generator
  eval
  gguf
  groups
  kernels
  leak
  lessons
  lora
  mask
  measure
  lines
  measures
  minhash
  mix
  model_file
  muon
  near
  nnls
  option
  packer
  place
  preparation
  program
  program_mask
  answer_store
  prox
  pursuit
  quality
  ranks
  refine_prompt
  rules
  report
  run
  synth
  safetensors
  sampling
  shards
  silos
  stats
  study
  select_selector
  store
  subspace
  scan
  tokenizer
  tokenizer_real
  charset
  html
  structure
  warc
  train_weights
  value
  trainer
  tune
  verdicts
  )
if(CURL_FOUND)
  list(APPEND UNIT_TESTS completion)
endif()
if(WINNOW_HAS_STORAGE)
  list(APPEND UNIT_TESTS storage)
endif()
foreach(unit ${UNIT_TESTS})
  add_executable(test_${unit} tests/unit/test_${unit}.c)
  target_include_directories(test_${unit} PRIVATE tests/support)
  target_include_directories(test_${unit} SYSTEM PRIVATE ${CMOCKA_INCLUDE})
  target_link_libraries(test_${unit} PRIVATE winnow winnow_flags ${CMOCKA_LIB} m)
  add_test(NAME unit.${unit} COMMAND test_${unit} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(unit.${unit} PROPERTIES LABELS quick)
endforeach()

# Ranks as processes, where there is an MPI.
target_link_libraries(test_ranks PRIVATE ${CMAKE_DL_LIBS})
if(MPI_C_FOUND)
  add_dependencies(test_ranks winnow_mpi)
  add_test(NAME unit.ranks-mpi
    COMMAND ${CMAKE_SOURCE_DIR}/tests/unit/ranks_mpi.sh $<TARGET_FILE:test_ranks> $<TARGET_FILE:winnow_mpi>)
  set_tests_properties(unit.ranks-mpi PROPERTIES LABELS quick TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()

# Clients against a server that misbehaves.
if(CURL_FOUND)
  target_sources(test_completion PRIVATE tests/support/mock_server.c)
  add_executable(mock_server tests/support/mock_server_main.c tests/support/mock_server.c)
  target_link_libraries(mock_server PRIVATE winnow winnow_flags)
  add_executable(score_server tests/support/score_server_main.c tests/support/mock_server.c)
  target_link_libraries(score_server PRIVATE winnow winnow_flags)
endif()

# A disk that fails, for runs.
target_link_options(test_run PRIVATE -Wl,--wrap=write,--wrap=fsync)

# Slow twins that tests compare with.
target_sources(test_engine PRIVATE tests/oracle/llama.c)
target_include_directories(test_engine PRIVATE tests/oracle)
set_source_files_properties(tests/oracle/llama.c PROPERTIES COMPILE_OPTIONS -O2)

# Judges of HTML, ours and others'.
pkg_check_modules(GUMBO REQUIRED IMPORTED_TARGET gumbo)
target_link_libraries(test_report PRIVATE PkgConfig::GUMBO)

# tests/fuzz/fuzz_<name>.c with its seeds in tests/fuzz/corpus/<name>/: replayed
# in every build, fuzzed in the fuzz preset.
set(FUZZ_TARGETS
  recipe
  benchmark
  blocklist
  charset
  html
  structure
  selectors
  http
  judgement
  jsonl
  warc
  warc_members
  completion
  config_json
  options_json
  expert
  fact
  fasttext
  gguf
  pair
  parquet
  line_model
  line_text
  program
  refine_ask
  safetensors
  signatures
  synth
  tokenizer_encode
  tokenizer_json
  vectors
  )
if(WINNOW_HAS_STORAGE)
  list(APPEND FUZZ_TARGETS storage)
endif()
foreach(target ${FUZZ_TARGETS})
  add_executable(replay_${target} tests/fuzz/replay.c tests/fuzz/fuzz_${target}.c)
  target_link_libraries(replay_${target} PRIVATE winnow winnow_flags)
  add_test(NAME fuzz.${target}
    COMMAND replay_${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
  set_tests_properties(fuzz.${target} PROPERTIES LABELS quick)
  if(WINNOW_FUZZ)
    add_executable(fuzz_${target} tests/fuzz/fuzz_${target}.c)
    target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(fuzz_${target} PRIVATE winnow winnow_flags)
  endif()
endforeach()

# Packs what the library unpacks.
pkg_check_modules(BROTLI_ENCODER REQUIRED IMPORTED_TARGET libbrotlienc)
target_link_libraries(replay_http PRIVATE PkgConfig::BROTLI_ENCODER)
target_link_libraries(test_warc PRIVATE PkgConfig::BROTLI_ENCODER)
if(WINNOW_FUZZ)
  target_link_libraries(fuzz_http PRIVATE PkgConfig::BROTLI_ENCODER)
endif()

# bench/: run by hand.
add_executable(line_scores bench/line_scores.c)
target_link_libraries(line_scores PRIVATE winnow winnow_flags)
add_executable(line_logistic bench/line_logistic.c)
target_link_libraries(line_logistic PRIVATE winnow winnow_flags m)
add_executable(bench_train bench/bench_train.c)
target_link_libraries(bench_train PRIVATE winnow winnow_flags)
add_executable(bench_weights bench/bench_weights.c)
target_link_libraries(bench_weights PRIVATE winnow winnow_flags)
add_executable(bench_examples bench/bench_examples.c)
target_link_libraries(bench_examples PRIVATE winnow winnow_flags)
add_executable(bench_pursuit bench/bench_pursuit.c)
target_link_libraries(bench_pursuit PRIVATE winnow winnow_flags)
add_executable(bench_select bench/bench_select.c)
target_link_libraries(bench_select PRIVATE winnow winnow_flags)
add_executable(bench_score bench/bench_score.c)
target_include_directories(bench_score PRIVATE tests/support)
target_link_libraries(bench_score PRIVATE winnow winnow_flags)
add_executable(optimizer_curve bench/optimizer_curve.c)
target_link_libraries(optimizer_curve PRIVATE winnow winnow_flags)
find_library(DNNL_LIB dnnl) # the peer of bench_gemm; nothing else uses it
find_path(DNNL_INCLUDE oneapi/dnnl/dnnl.h)
if(DNNL_LIB AND DNNL_INCLUDE)
  add_executable(bench_gemm bench/bench_gemm.c)
  target_include_directories(bench_gemm SYSTEM PRIVATE ${DNNL_INCLUDE})
  target_link_libraries(bench_gemm PRIVATE winnow winnow_flags ${DNNL_LIB})
endif()

# Against HF transformers where it is installed; skipped, saying so, elsewhere.
add_executable(engine_dump tests/oracle/engine_dump.c)
target_link_libraries(engine_dump PRIVATE winnow winnow_flags)
add_test(NAME oracle.torch
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/engine_vs_torch.py $<TARGET_FILE:engine_dump>)
set_tests_properties(oracle.torch PROPERTIES LABELS slow SKIP_RETURN_CODE 77)

add_executable(nnls_dump tests/oracle/nnls_dump.c)
target_link_libraries(nnls_dump PRIVATE winnow winnow_flags)
add_test(NAME oracle.nnls
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/nnls_vs_scipy.py $<TARGET_FILE:nnls_dump>)
set_tests_properties(oracle.nnls PROPERTIES LABELS quick SKIP_RETURN_CODE 77)

add_test(NAME style.layers COMMAND ${CMAKE_SOURCE_DIR}/tools/check-layers.sh)
add_test(NAME style.cleanup COMMAND ${CMAKE_SOURCE_DIR}/tools/check-cleanup.sh)
add_test(NAME style.heads COMMAND ${CMAKE_SOURCE_DIR}/tools/check-heads.sh)
# All cases, in pieces that run side by side; the first takes what begins with no letter, too.
set(i 1)
foreach(cases "[!e-z]*" "[e-n]*" "[o-q]*" "r[a-e]*" "r[!a-e]*" "[s-z]*")
  add_test(NAME golden.${i}
    COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/run.sh $<TARGET_FILE:winnow_cli> ${cases})
  set_tests_properties(golden.${i} PROPERTIES LABELS quick COST 40)
  math(EXPR i "${i} + 1")
endforeach()
set_tests_properties(style.layers style.cleanup style.heads PROPERTIES LABELS quick)

if(NOT WINNOW_SANITIZE)
  add_test(NAME style.symbols
    COMMAND ${CMAKE_SOURCE_DIR}/tools/check-symbols.sh ${CMAKE_BINARY_DIR}/install/libwinnow.a
    $<TARGET_FILE:winnow_shared>)
  set_tests_properties(style.symbols PROPERTIES LABELS quick)
endif()
add_test(NAME style.format COMMAND ${CMAKE_SOURCE_DIR}/tools/check-format.sh)
add_test(NAME style.tidy COMMAND ${CMAKE_SOURCE_DIR}/tools/check-tidy.sh ${CMAKE_BINARY_DIR})
set_tests_properties(style.format style.tidy PROPERTIES LABELS slow SKIP_RETURN_CODE 77)
set_tests_properties(style.tidy PROPERTIES COST 200 TIMEOUT 900)

# What the filters see of a document, for bench/rules_vs_datatrove.py.
add_executable(rules_dump tests/oracle/rules_dump.c)
target_link_libraries(rules_dump PRIVATE winnow winnow_flags)
# What the oracles under tests/oracle/ and bench/ ask for numbers.
add_executable(dump_engine tests/oracle/dump_engine.c)
target_include_directories(dump_engine PRIVATE tests/support)
target_link_libraries(dump_engine PRIVATE winnow winnow_flags)
add_executable(train_worker bench/train_worker.c)
target_link_libraries(train_worker PRIVATE winnow winnow_flags)
add_executable(generate_worker bench/generate_worker.c)
target_include_directories(generate_worker PRIVATE tests/support)
target_link_libraries(generate_worker PRIVATE winnow winnow_flags)
add_executable(first_token bench/first_token.c)
target_link_libraries(first_token PRIVATE winnow winnow_flags)
add_executable(peak_probe bench/peak_probe.c)
target_link_libraries(peak_probe PRIVATE winnow winnow_flags)
add_executable(tokenizer_worker bench/tokenizer_worker.c)
target_link_libraries(tokenizer_worker PRIVATE winnow winnow_flags)
# Kills, full disks, locked folders: through the front door.
add_test(NAME demo.collect COMMAND ${CMAKE_SOURCE_DIR}/tests/demo/collect.sh
  ${CMAKE_SOURCE_DIR}/tools/collect-debian-docs.sh)
set_tests_properties(demo.collect PROPERTIES SKIP_RETURN_CODE 77 LABELS quick)
add_test(NAME recipes.run COMMAND ${CMAKE_SOURCE_DIR}/tests/recipes/run.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(recipes.run PROPERTIES SKIP_RETURN_CODE 77 LABELS slow TIMEOUT 600)
add_test(NAME fault.kill COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/kill.sh $<TARGET_FILE:winnow_cli> 20)
add_test(NAME fault.ranks COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/ranks.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.ranks PROPERTIES LABELS slow TIMEOUT 1200 SKIP_RETURN_CODE 77 RUN_SERIAL ON)
add_test(NAME fault.slurm COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/slurm.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.slurm PROPERTIES LABELS slow TIMEOUT 300 SKIP_RETURN_CODE 77 RUN_SERIAL ON)
add_test(NAME fault.parquet COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/parquet.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.parquet PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME oracle.parquet COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/parquet.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.parquet PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 300)
add_test(NAME fault.disk COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/disk.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.disk PROPERTIES LABELS quick SKIP_RETURN_CODE 77)
set_tests_properties(fault.kill PROPERTIES LABELS slow TIMEOUT 300 RUN_SERIAL ON)
if(WINNOW_SANITIZE) # which takes more memory than all else
  add_test(NAME fault.memory COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/memory.sh $<TARGET_FILE:winnow_cli>)
else()
  add_test(NAME fault.memory COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/memory.sh $<TARGET_FILE:winnow_cli> measure)
endif()
set_tests_properties(fault.memory PROPERTIES LABELS slow TIMEOUT 600)
if(WINNOW_SANITIZE) # the same, and it is ten times slower
  add_test(NAME fault.dedup
    COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/dedup.sh $<TARGET_FILE:winnow_cli> 1 4000 400M)
else()
  add_test(NAME fault.dedup COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/dedup.sh $<TARGET_FILE:winnow_cli> 4)
endif()
set_tests_properties(fault.dedup PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME fault.prove COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/prove.sh $<TARGET_FILE:winnow_cli> 3)
set_tests_properties(fault.prove PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME oracle.proof COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/proof.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.proof PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME oracle.dedup
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/dedup_planted.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.dedup PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 300)
add_test(NAME fault.stale COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/stale.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.stale PROPERTIES LABELS quick TIMEOUT 300)
add_test(NAME fault.gone COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/gone.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.gone PROPERTIES LABELS quick TIMEOUT 120)
add_test(NAME fault.refine COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/refine.sh $<TARGET_FILE:winnow_cli> 6)
set_tests_properties(fault.refine PROPERTIES LABELS slow TIMEOUT 600)

# Lines of HTML pages against those of a tree; needs data/html.
add_executable(html_vs_tree tests/oracle/html_vs_tree.c)
target_link_libraries(html_vs_tree PRIVATE winnow winnow_flags PkgConfig::GUMBO)
add_test(NAME oracle.html
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/html_vs_tree.sh $<TARGET_FILE:html_vs_tree>)
set_tests_properties(oracle.html PROPERTIES LABELS slow SKIP_RETURN_CODE 77)
# What tags say of lines against a tree; needs data/html and lxml.
add_test(NAME oracle.fasttext
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/fasttext_scores.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.fasttext PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 600)

add_test(NAME oracle.structure
  COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/structure_vs_tree.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.structure PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 300)
# Benchmark items in Wikipedia against sets of Python's; needs data/clean and data/eval.
add_test(NAME oracle.leak COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/leak_overlap.py $<TARGET_FILE:winnow_cli> 1000)
set_tests_properties(oracle.leak PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 300)
add_test(NAME fault.long-line
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/long_line.sh $<TARGET_FILE:winnow_cli>)
add_test(NAME fault.kill-extract
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/kill_extract.sh $<TARGET_FILE:winnow_cli> 4)
set_tests_properties(fault.long-line fault.kill-extract PROPERTIES LABELS slow TIMEOUT 300 RUN_SERIAL ON)
add_test(NAME fault.prune COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/prune.sh $<TARGET_FILE:winnow_cli> 3)
set_tests_properties(fault.prune PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME fault.diversify COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/diversify.sh $<TARGET_FILE:winnow_cli> 2)
set_tests_properties(fault.diversify PROPERTIES LABELS slow TIMEOUT 600)
add_test(NAME fault.correct COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/correct.sh $<TARGET_FILE:winnow_cli> 2)
set_tests_properties(fault.correct PROPERTIES LABELS slow TIMEOUT 600)
add_test(NAME fault.features COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/features.sh $<TARGET_FILE:winnow_cli> 2)
set_tests_properties(fault.features PROPERTIES LABELS slow TIMEOUT 600)
add_test(NAME docs.training COMMAND ${CMAKE_SOURCE_DIR}/tests/docs/training.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(docs.training PROPERTIES LABELS quick TIMEOUT 300)
add_test(NAME docs.study COMMAND ${CMAKE_SOURCE_DIR}/tests/docs/study.sh $<TARGET_FILE:winnow_cli>)
add_test(NAME docs.quality COMMAND ${CMAKE_SOURCE_DIR}/tests/docs/quality.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(docs.study docs.quality PROPERTIES LABELS quick TIMEOUT 120)
add_test(NAME docs.parquet COMMAND ${CMAKE_SOURCE_DIR}/tests/docs/parquet.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(docs.parquet PROPERTIES LABELS quick TIMEOUT 120)
add_test(NAME fault.study COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/study.sh $<TARGET_FILE:winnow_cli> 2)
set_tests_properties(fault.study PROPERTIES LABELS slow TIMEOUT 300)
add_test(NAME fault.samplers COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/samplers.sh $<TARGET_FILE:winnow_cli> 1)
set_tests_properties(fault.samplers PROPERTIES LABELS slow TIMEOUT 600)
if(CURL_FOUND)
  add_test(NAME fault.refine_http COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/refine_http.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:mock_server>)
  add_test(NAME fault.label COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/label.sh $<TARGET_FILE:winnow_cli>
    $<TARGET_FILE:mock_server>)
  add_test(NAME fault.judge COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/judge.sh $<TARGET_FILE:winnow_cli>
    $<TARGET_FILE:mock_server>)
  add_test(NAME fault.refine-server COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/refine_server.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:mock_server>)
  add_test(NAME fault.score-server COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/score_server.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:score_server>)
  set_tests_properties(fault.refine_http fault.label fault.judge fault.refine-server
    fault.score-server PROPERTIES LABELS quick TIMEOUT 120)
  add_test(NAME fault.synthesize COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/synthesize.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:mock_server>)
else()
  add_test(NAME fault.synthesize
    COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/synthesize.sh $<TARGET_FILE:winnow_cli>)
endif()
set_tests_properties(fault.synthesize PROPERTIES LABELS slow TIMEOUT 600)
add_test(NAME fault.unreadable
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/unreadable.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.unreadable PROPERTIES LABELS quick SKIP_RETURN_CODE 77)
# One corpus, named in every way, for every command; and inputs in which something is wrong.
if(CURL_FOUND)
  add_test(NAME matrix.inputs COMMAND ${CMAKE_SOURCE_DIR}/tests/matrix/inputs.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:mock_server>)
else()
  add_test(NAME matrix.inputs
    COMMAND ${CMAKE_SOURCE_DIR}/tests/matrix/inputs.sh $<TARGET_FILE:winnow_cli>)
endif()
add_test(NAME matrix.shapes COMMAND ${CMAKE_SOURCE_DIR}/tests/matrix/shapes.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(matrix.inputs matrix.shapes PROPERTIES LABELS slow TIMEOUT 900)
# Token files as the projects read them that they are for; WINNOW_PEERS names clones.
add_test(NAME oracle.token-files COMMAND ${CMAKE_SOURCE_DIR}/tests/oracle/token_files.py $<TARGET_FILE:winnow_cli>)
set_tests_properties(oracle.token-files PROPERTIES LABELS quick SKIP_RETURN_CODE 77 TIMEOUT 120)
add_test(NAME fault.refiner
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/refiner.sh $<TARGET_FILE:winnow_cli> 2)
set_tests_properties(fault.refiner PROPERTIES TIMEOUT 300 LABELS slow)

# A system that fails, and outsiders: fault/faults.py and the scripts beside it.
add_library(fail MODULE tests/fault/fail.c)
target_compile_definitions(fail PRIVATE _GNU_SOURCE)
set_target_properties(fail PROPERTIES PREFIX lib C_VISIBILITY_PRESET default)
target_link_libraries(fail PRIVATE ${CMAKE_DL_LIBS})
add_test(NAME fault.terminal COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/terminal.sh $<TARGET_FILE:winnow_cli>)
add_test(NAME fault.signals COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/signals.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.terminal fault.signals PROPERTIES LABELS quick TIMEOUT 300)
set_tests_properties(fault.signals PROPERTIES RUN_SERIAL ON)
if(CURL_FOUND)
  add_test(NAME fault.secrets COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/secrets.sh
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:mock_server>)
  set_tests_properties(fault.secrets PROPERTIES LABELS quick TIMEOUT 120)
endif()
set(FAULT_LIB $<TARGET_FILE:fail>)
if(WINNOW_SANITIZE) # which wants to come before everything else
  set(FAULT_LIB "")
endif()
add_test(NAME fault.outputs
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/outputs.sh $<TARGET_FILE:winnow_cli> ${FAULT_LIB})
add_test(NAME fault.left
  COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/left.sh $<TARGET_FILE:winnow_cli> ${FAULT_LIB})
add_test(NAME fault.streams COMMAND ${CMAKE_SOURCE_DIR}/tests/fault/streams.sh $<TARGET_FILE:winnow_cli>)
set_tests_properties(fault.outputs fault.left fault.streams PROPERTIES LABELS quick TIMEOUT 120)
find_program(PYTHON3 python3)
set(FAULT_COMMANDS run,train,tokenizer-train,encode,encode-npy,encode-megatron,eval,prove,features,select,correct,study,refiner-train,refiner-lines)
set(FAULT_HOW --deaths 1 --kills 3)
if(WINNOW_SANITIZE) # ten times slower: what it is there for, calls that go wrong
  set(FAULT_COMMANDS run,train,refiner-lines)
  set(FAULT_HOW --kinds open,read,write,rename,short)
endif()
if(PYTHON3 AND WINNOW_HAS_STORAGE)
  add_test(NAME fault.storage COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tests/fault/storage.py $<TARGET_FILE:winnow_cli>)
  # A server that speaks S3 and is not ours: moto, where some Python has it (WINNOW_MOTO names one).
  add_test(NAME oracle.storage-moto COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tests/oracle/storage_moto.py
    $<TARGET_FILE:winnow_cli>)
  set_tests_properties(fault.storage oracle.storage-moto PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 600)
  add_test(NAME docs.storage COMMAND ${CMAKE_SOURCE_DIR}/tests/docs/storage.sh $<TARGET_FILE:winnow_cli>)
  set_tests_properties(docs.storage PROPERTIES LABELS quick TIMEOUT 120)
endif()
if(PYTHON3)
  add_test(NAME fault.faults COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tests/fault/faults.py
    $<TARGET_FILE:winnow_cli> $<TARGET_FILE:fail> --samples 1 ${FAULT_HOW} --commands ${FAULT_COMMANDS})
  set_tests_properties(fault.faults PROPERTIES LABELS slow TIMEOUT 900)
endif()

# The library from outside: examples/, the headers in three languages, an installed tree.
foreach(example list_options run_recipe refine_text score_texts measure_rules)
  add_executable(example_${example} examples/${example}.c)
  set_target_properties(example_${example} PROPERTIES OUTPUT_NAME ${example}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
  target_link_libraries(example_${example} PRIVATE winnow winnow_flags)
endforeach()
add_test(NAME library.examples COMMAND ${CMAKE_SOURCE_DIR}/tests/library/examples.sh
  $<TARGET_FILE:winnow_cli> ${CMAKE_BINARY_DIR}/examples)
add_test(NAME library.headers COMMAND ${CMAKE_SOURCE_DIR}/tests/library/headers.sh
  ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER})
set_tests_properties(library.examples library.headers PROPERTIES LABELS quick TIMEOUT 120)
if(NOT WINNOW_SANITIZE)
  add_test(NAME library.installed
    COMMAND ${CMAKE_SOURCE_DIR}/tests/library/installed.sh ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  set_tests_properties(library.installed PROPERTIES LABELS quick SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()

if(PYTHON3 AND NOT WINNOW_SANITIZE)
  add_test(NAME library.python
    COMMAND ${CMAKE_SOURCE_DIR}/python/tests/run.sh ${CMAKE_BINARY_DIR} ${PYTHON3})
  set_tests_properties(library.python PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()

# Every test says how long it takes; its kind is added here.
get_property(tests DIRECTORY PROPERTY TESTS)
foreach(test ${tests})
  get_test_property(${test} LABELS labels)
  if(NOT labels MATCHES "^(quick|slow)$")
    message(FATAL_ERROR "${test} is labelled neither quick nor slow")
  endif()
  string(REGEX REPLACE "[.].*" "" kind ${test})
  set_property(TEST ${test} APPEND PROPERTY LABELS ${kind})
endforeach()
