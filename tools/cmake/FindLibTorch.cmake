# Finds LibTorch in an installed `torch` wheel or an unpacked LibTorch, and makes the target
# LibTorch::torch. The TorchConfig.cmake that ships with a CUDA build insists on a CUDA toolkit,
# which running on a CPU, and even compiling for a GPU with the wheels, does not need.
#
# Searched in this order: CMAKE_PREFIX_PATH (cache or environment), the active Python's torch, the
# project's own .venv. Sets LibTorch_FOUND, LibTorch_DIR, LibTorch_VERSION, and LibTorch_CUDA_FOUND
# when its CUDA half is there with the libraries that it loads; the target LibTorch::cuda adds that.

set(_hints ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH})
foreach(_python python3 ${PROJECT_SOURCE_DIR}/.venv/bin/python)
  execute_process(
    COMMAND ${_python} -c "import importlib.util as u; s=u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE _torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(_torch)
    list(APPEND _hints ${_torch})
  endif()
endforeach()

find_path(LibTorch_DIR include/torch/csrc/api/include/torch/torch.h HINTS ${_hints} PATH_SUFFIXES . torch
          NO_CMAKE_FIND_ROOT_PATH DOC "Folder of LibTorch: holds include/ and lib/")
if(LibTorch_DIR)
  # The suffix leaves a "/." at its end, which CMake drops from its cache when it runs again: all that includes Torch
  # would be built anew then.
  get_filename_component(LibTorch_DIR ${LibTorch_DIR} ABSOLUTE)
endif()
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${LibTorch_DIR}/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${LibTorch_DIR}/lib NO_DEFAULT_PATH)
if(LibTorch_DIR)
  # The header has moved between releases.
  foreach(_header headeronly/version.h csrc/api/include/torch/version.h)
    if(NOT LibTorch_VERSION AND EXISTS ${LibTorch_DIR}/include/torch/${_header})
      file(STRINGS ${LibTorch_DIR}/include/torch/${_header} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
      list(JOIN _numbers "." LibTorch_VERSION)
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
                                  VERSION_VAR LibTorch_VERSION)

if(LibTorch_FOUND AND NOT TARGET LibTorch::torch)
  add_library(LibTorch::torch INTERFACE IMPORTED)
  target_include_directories(LibTorch::torch SYSTEM INTERFACE
    ${LibTorch_DIR}/include ${LibTorch_DIR}/include/torch/csrc/api/include)
  target_link_libraries(LibTorch::torch INTERFACE ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
endif()

# The wheel always has torch_cuda; only the full set of wheels has what it needs beside it.
find_library(LibTorch_CUDA_LIBRARY torch_cuda HINTS ${LibTorch_DIR}/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda HINTS ${LibTorch_DIR}/lib NO_DEFAULT_PATH)
get_filename_component(_site_packages "${LibTorch_DIR}/.." ABSOLUTE)
find_library(LibTorch_NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR HINTS ${_site_packages}/nvidia/nccl/lib)
find_library(LibTorch_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR HINTS ${_site_packages}/nvidia/cudnn/lib)
if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY AND LibTorch_NCCL_LIBRARY AND LibTorch_CUDNN_LIBRARY)
  set(LibTorch_CUDA_FOUND TRUE)
  if(NOT TARGET LibTorch::cuda)
    add_library(LibTorch::cuda INTERFACE IMPORTED)
    # No symbol of ours refers to torch_cuda: it registers itself when it is loaded.
    target_link_options(LibTorch::cuda INTERFACE
      "LINKER:--push-state,--no-as-needed,${LibTorch_CUDA_LIBRARY},${LibTorch_C10_CUDA_LIBRARY},--pop-state")
    target_link_libraries(LibTorch::cuda INTERFACE LibTorch::torch)
  endif()
  # For what calls NCCL and CUDA itself: their headers lie beside the libraries in the wheels.
  find_path(LibTorch_NCCL_INCLUDE nccl.h HINTS ${_site_packages}/nvidia/nccl/include)
  find_path(LibTorch_CUDART_INCLUDE cuda_runtime_api.h HINTS ${_site_packages}/nvidia/cu13/include)
  find_library(LibTorch_CUDART_LIBRARY NAMES cudart libcudart.so.13 NAMES_PER_DIR HINTS ${_site_packages}/nvidia/cu13/lib)
  if(NOT TARGET LibTorch::nccl)
    add_library(LibTorch::nccl INTERFACE IMPORTED)
    target_include_directories(LibTorch::nccl SYSTEM INTERFACE ${LibTorch_NCCL_INCLUDE} ${LibTorch_CUDART_INCLUDE})
    target_link_libraries(LibTorch::nccl INTERFACE ${LibTorch_NCCL_LIBRARY} ${LibTorch_CUDART_LIBRARY})
  endif()
endif()
