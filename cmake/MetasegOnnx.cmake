# SPDX-License-Identifier: Apache-2.0
# The messages of ONNX files as C, in generated/export/onnx.pb-c.c and .h, made when the build is configured so that tools which only read the
# sources find the header.
set(messages "${CMAKE_SOURCE_DIR}/src/export/onnx.proto")
set(METASEG_ONNX_SOURCE "${CMAKE_BINARY_DIR}/generated/export/onnx.pb-c.c")
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/generated/export")
execute_process(COMMAND "${PROTOC_C}" "--proto_path=${CMAKE_SOURCE_DIR}/src/export" "--c_out=${CMAKE_BINARY_DIR}/generated/export" "${messages}"
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "'${PROTOC_C}' failed on ${messages}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${messages}")
