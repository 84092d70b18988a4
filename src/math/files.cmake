list(APPEND WINNOW_SOURCES
  src/math/eigen.c
  src/math/gemm.c
  src/math/kernels.c
  src/math/kernels_avx2.c
  src/math/kernels_avx512.c
  src/math/kernels_avx512_bf16.c
  src/math/kernels_generic.c
)
# The only files with instructions of their own; kernels.c chooses at run time.
# Optimized in every preset: tests would take minutes otherwise.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(AVX2_FLAGS -O2 -mavx2 -mfma)
  set(AVX512_FLAGS -O2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma)
  if(WINNOW_FUZZ)
    # Kernels see no outside bytes, and clang takes half an hour to instrument them.
    list(APPEND AVX2_FLAGS -fno-sanitize=all)
    list(APPEND AVX512_FLAGS -fno-sanitize=all)
  endif()
  set_source_files_properties(src/math/kernels_avx2.c PROPERTIES COMPILE_OPTIONS "${AVX2_FLAGS}")
  set_source_files_properties(src/math/kernels_avx512.c PROPERTIES COMPILE_OPTIONS "${AVX512_FLAGS}")
  set_source_files_properties(src/math/kernels_avx512_bf16.c PROPERTIES
    COMPILE_OPTIONS "${AVX512_FLAGS};-mavx512bf16;-mavx512vnni")
endif()
