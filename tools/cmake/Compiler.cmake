# The compiler's settings for the whole tree, and the one function that makes a library of a folder.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Line numbers for a stack trace, but no variables: a quarter less to compile in units with Torch.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness lets ccache serve units that use a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_PCH_EXTSUM=1 ${CCACHE})
endif()

add_library(ranksweep_compile_options INTERFACE)
# A designated initialiser leaves the other members at their defaults on purpose.
target_compile_options(ranksweep_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
if(RANKSWEEP_WARNINGS_AS_ERRORS)
  target_compile_options(ranksweep_compile_options INTERFACE -Werror)
endif()

# Sanitizers see every unit of ours except those that include Torch: LibTorch is not instrumented,
# so the trainer links the sanitizers' runtime but its Torch units are compiled without them.
add_library(ranksweep_sanitizers INTERFACE)
if(RANKSWEEP_SANITIZE)
  target_compile_options(ranksweep_sanitizers INTERFACE -fsanitize=${RANKSWEEP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RANKSWEEP_SANITIZE})
endif()

# ranksweep_library(NAME SOURCES... [TORCH] [LIBRARIES ...])
# A static library with the project's warnings; includes are written from the repository's root.
function(ranksweep_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;LIBRARIES")
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LIBRARIES} PRIVATE ranksweep_compile_options)
  if(NOT arg_TORCH)
    target_link_libraries(${name} PRIVATE ranksweep_sanitizers)
  endif()
endfunction()
