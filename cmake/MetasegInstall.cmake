# SPDX-License-Identifier: Apache-2.0
# The library for other programs, the share folder of the build tree, the man page, and what `make install` copies.

# build/share/metaseg holds links, so that a program in the build folder finds what an installed one finds.
set(share "${CMAKE_BINARY_DIR}/share/metaseg")
set(climate_map koppen_geiger.bin) # made by `make data`
file(MAKE_DIRECTORY "${share}")
foreach(folder prompts models classes places mappings)
  file(CREATE_LINK "${CMAKE_SOURCE_DIR}/share/${folder}" "${share}/${folder}" SYMBOLIC)
endforeach()
foreach(name IN LISTS climate_map)
  file(CREATE_LINK "${METASEG_CACHE}/data/${name}" "${share}/${name}" SYMBOLIC)
endforeach()
file(CREATE_LINK "${METASEG_CACHE}/data" "${share}/downloads" SYMBOLIC)

# metaseg_library(NAME layers...): libNAME.so exporting the metaseg_ functions alone.
set(exports "${CMAKE_BINARY_DIR}/generated/exports.map")
file(WRITE "${exports}" "{ global: metaseg_*; local: *; };\n")
function(metaseg_library name)
  set(objects "")
  foreach(layer IN LISTS ARGN)
    list(APPEND objects "$<TARGET_OBJECTS:${layer}>")
  endforeach()
  add_library(${name}_shared SHARED ${objects})
  add_dependencies(${name}_shared ${ARGN})
  target_link_libraries(${name}_shared PRIVATE metaseg_options ${ARGN})
  target_link_options(${name}_shared PRIVATE "-Wl,--version-script=${exports}" -Wl,--as-needed)
  if(NOT METASEG_SANITIZE)
    target_link_options(${name}_shared PRIVATE -Wl,--no-undefined)
  endif()
  set_target_properties(${name}_shared PROPERTIES OUTPUT_NAME ${name} VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}"
    LINK_DEPENDS "${exports}")
  # One relocatable object whose other symbols are local, so that a static link cannot clash with names of the host program.
  set(archive "${CMAKE_BINARY_DIR}/lib${name}.a")
  set(object "${CMAKE_BINARY_DIR}/generated/${name}.o")
  add_custom_command(OUTPUT "${archive}"
    COMMAND ${CMAKE_LINKER} -r -o "${object}" ${objects}
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=metaseg_*" "${object}"
    COMMAND ${CMAKE_COMMAND} -E rm -f "${archive}"
    COMMAND ${CMAKE_AR} rcs "${archive}" "${object}"
    DEPENDS ${ARGN} ${objects} COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_static ALL DEPENDS "${archive}")
endfunction()

get_property(layers GLOBAL PROPERTY METASEG_LAYERS)
set(core_layers "")
foreach(folder base tensor tensor_file graph ops nn network text model)
  if("metaseg_${folder}" IN_LIST layers)
    list(APPEND core_layers metaseg_${folder})
  endif()
endforeach()
metaseg_library(metaseg_core ${core_layers})
add_custom_target(product DEPENDS metaseg_core_shared)
set(installed_library metaseg_core)
# For a static link of our archive; the libraries below it stay shared, so only those we call are named.
set(private_libraries ${CJSON_LDFLAGS} ${XXHASH_LDFLAGS} ${UTF8PROC_LDFLAGS} ${ZIP_LDFLAGS} ${ZLIB_LDFLAGS})
if(WITH_GEO)
  metaseg_library(metaseg ${layers})
  set(installed_library metaseg)
  list(APPEND private_libraries ${GDAL_LDFLAGS} ${YAML_LDFLAGS} ${CAIRO_LDFLAGS} ${PROTOBUF_C_LDFLAGS})
endif()
add_dependencies(product ${installed_library}_shared ${installed_library}_static)
install(TARGETS ${installed_library}_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES "${CMAKE_BINARY_DIR}/lib${installed_library}.a" DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(METASEG_PC_LIBRARY ${installed_library})
if(WITH_ONEDNN)
  list(APPEND private_libraries -ldnnl)
endif()
list(JOIN private_libraries " " METASEG_PC_LIBS)
string(APPEND METASEG_PC_LIBS " ${OpenMP_C_FLAGS} -lm")
file(RELATIVE_PATH METASEG_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" METASEG_PC_PREFIX "${METASEG_PC_PREFIX}")
configure_file("${CMAKE_SOURCE_DIR}/cmake/metaseg.pc.in" "${CMAKE_BINARY_DIR}/metaseg.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/metaseg.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/metaseg" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

if(TARGET metaseg)
  set(page "${CMAKE_BINARY_DIR}/metaseg.1")
  set(completion "${CMAKE_BINARY_DIR}/metaseg.bash")
  add_custom_command(OUTPUT "${page}" "${completion}"
    COMMAND ${CMAKE_COMMAND} -D "program=$<TARGET_FILE:metaseg>" -D "template=${CMAKE_SOURCE_DIR}/docs/man/metaseg.1.in"
            -D "page=${page}" -D "completion_file=${completion}" -D "version=${PROJECT_VERSION}"
            -P "${CMAKE_SOURCE_DIR}/cmake/MakeManPage.cmake"
    DEPENDS metaseg "${CMAKE_SOURCE_DIR}/docs/man/metaseg.1.in" "${CMAKE_SOURCE_DIR}/cmake/MakeManPage.cmake" VERBATIM)
  add_custom_target(manual ALL DEPENDS "${page}" "${completion}")
  add_dependencies(product metaseg manual prepare_data side_by_side)
  install(TARGETS metaseg RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES "${page}" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES "${completion}" DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME metaseg)
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/share/" DESTINATION ${CMAKE_INSTALL_DATADIR}/metaseg)
  foreach(name IN LISTS climate_map)
    install(FILES "${METASEG_CACHE}/data/${name}" DESTINATION ${CMAKE_INSTALL_DATADIR}/metaseg OPTIONAL)
  endforeach()
endif()
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/NOTICE" "${CMAKE_SOURCE_DIR}/README.md" DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs" DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN "man" EXCLUDE)

# Configurations of training with the paths that they have beside the installed data folder, and what training reads.
set(data_folder ${CMAKE_INSTALL_DATADIR}/metaseg)
file(GLOB configurations CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/configs/*.yaml")
foreach(source IN LISTS configurations)
  get_filename_component(name "${source}" NAME)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  file(READ "${source}" text)
  string(REPLACE "../.cache/data/koppen_geiger.bin" "../koppen_geiger.bin" text "${text}")
  string(REPLACE "../.cache/data/" "../downloads/" text "${text}")
  string(REPLACE "../share/" "../" text "${text}")
  file(WRITE "${CMAKE_BINARY_DIR}/generated/configs/${name}"
    "# Copy this file, or say where the run goes: --set train.output=/a/folder/of/yours\n${text}")
endforeach()
install(DIRECTORY "${CMAKE_BINARY_DIR}/generated/configs" DESTINATION ${data_folder})
install(FILES "${METASEG_CACHE}/data/efficientnet-lite0.pth" "${METASEG_CACHE}/data/blue_marble.tif" "${METASEG_CACHE}/data/igbp_2019.tif"
  DESTINATION ${data_folder}/downloads OPTIONAL)
install(FILES "${METASEG_CACHE}/data/minilm/model.safetensors" "${METASEG_CACHE}/data/minilm/vocab.txt"
  DESTINATION ${data_folder}/downloads/minilm OPTIONAL)
