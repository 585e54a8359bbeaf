# `cmake --install build/release --prefix DIR`: bin/, lib/ and share/ranksweep/. Nothing in them names a path of this
# machine, so the folder can be moved, as long as LibTorch is in it.

include(GNUInstallDirs)
if(RANKSWEEP_WITH_CUDA)
  set(default OFF)  # cuDNN and cuBLAS load further libraries by name: 5 GB in all
else()
  set(default ON)
endif()
option(RANKSWEEP_INSTALL_LIBTORCH "Install LibTorch beside the programs; OFF: use it where it is" ${default})

install(TARGETS ranksweep ranksweep-trainer RUNTIME)
install(FILES README.md CHANGELOG.md LICENSE sweeps/sweep.schema.json DESTINATION share/ranksweep)
install(DIRECTORY sweeps/examples cluster/profiles docs DESTINATION share/ranksweep)
configure_file(cluster/modulefiles/ranksweep.lua.in modulefiles/${PROJECT_VERSION}.lua @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modulefiles/${PROJECT_VERSION}.lua DESTINATION share/modulefiles/ranksweep)

set_target_properties(ranksweep PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)  # an MPI may lie anywhere
if(RANKSWEEP_INSTALL_LIBTORCH)
  set_target_properties(ranksweep-trainer PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  get_filename_component(site_packages ${LibTorch_DIR}/.. ABSOLUTE)
  install(CODE "
    file(GET_RUNTIME_DEPENDENCIES EXECUTABLES \"$<TARGET_FILE:ranksweep-trainer>\"
         RESOLVED_DEPENDENCIES_VAR libraries POST_INCLUDE_REGEXES \"^${site_packages}/\" POST_EXCLUDE_REGEXES .)
    file(INSTALL \${libraries} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\" FOLLOW_SYMLINK_CHAIN)
  ")
else()
  set_target_properties(ranksweep-trainer PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()
