# ranksweep_test(NAME SOURCES ... LIBRARIES ... [TORCH] [RANKS n...] [LABELS ...] [TIMEOUT s])
# One GoogleTest program. Without RANKS its cases become CTest tests one by one; with RANKS the whole
# program runs under mpirun, once for each number of ranks.
include(GoogleTest)

# Root, and more ranks than cores, are both ordinary on a test machine.
set(RANKSWEEP_MPI_ENVIRONMENT
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe)
# Open MPI and LibTorch keep allocations until exit, which the leak checker would report as ours.
set(RANKSWEEP_TEST_ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0" "UBSAN_OPTIONS=print_stacktrace=1")

function(ranksweep_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "TIMEOUT" "SOURCES;LIBRARIES;RANKS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} ranksweep_compile_options GTest::gmock)
  target_compile_definitions(${name} PRIVATE
    RANKSWEEP_SOURCE_DIR="${PROJECT_SOURCE_DIR}" RANKSWEEP_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  if(NOT arg_TORCH)
    target_link_libraries(${name} PRIVATE ranksweep_sanitizers)
  endif()
  if(arg_RANKS)
    foreach(ranks IN LISTS arg_RANKS)
      add_test(NAME ${name}.ranks_${ranks}
        COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.ranks_${ranks} PROPERTIES TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
        LABELS "${arg_LABELS}" ENVIRONMENT "${RANKSWEEP_MPI_ENVIRONMENT};${RANKSWEEP_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE GTest::gmock_main)
    # An empty list of labels would swallow the property after it.
    if(NOT arg_LABELS)
      set(arg_LABELS unit)
    endif()
    gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 PROPERTIES
      TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS} ENVIRONMENT "${RANKSWEEP_TEST_ENVIRONMENT}")
  endif()
endfunction()
