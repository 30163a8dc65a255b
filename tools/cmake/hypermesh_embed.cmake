# hypermesh_embed_page(<target> <namespace> <function> <header> <folder> <file>...)
#   Adds a source to the target that defines <namespace>::<function>(), which <header> declares: the files with their paths
#   below <folder>, types and tags. It is generated at build time when a file has changed.
# As a script (cmake -D output=<file> -D namespace=… -D function=… -D header=… -D folder=… -D files=<list> -P
# hypermesh_embed.cmake) it writes this source.
if(CMAKE_SCRIPT_MODE_FILE)
  set(types_html "text/html\\; charset=utf-8")
  set(types_css "text/css\\; charset=utf-8")
  set(types_js "text/javascript\\; charset=utf-8")
  set(types_svg "image/svg+xml")
  string(REPLACE "|" ";" files "${files}")
  set(arrays)
  set(rows)
  set(count 0)
  foreach(file IN LISTS files)
    cmake_path(GET file FILENAME name)
    cmake_path(GET file EXTENSION LAST_ONLY extension)
    string(SUBSTRING ${extension} 1 -1 extension)
    file(READ ${file} bytes HEX)
    file(SHA256 ${file} sum)
    string(SUBSTRING ${sum} 0 20 sum)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
    set(path ${folder}/${name})
    if(name STREQUAL index.html)
      set(path /)
    endif()
    string(APPEND arrays "constexpr char file_${count}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${path}\", \"${types_${extension}}\", \"\\\"${sum}\\\"\", {file_${count}, sizeof file_${count}}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  string(REPLACE "\\;" ";" rows "${rows}")
  file(WRITE ${output} "#include \"${header}\"\n\nnamespace ${namespace} {\n\nnamespace {\n\n"
                       "${arrays}\nconstexpr hypermesh::http::page_file files[] = {\n${rows}};\n\n}  // namespace\n\n"
                       "std::span<const hypermesh::http::page_file> ${function}() { return files; }\n\n"
                       "}  // namespace ${namespace}\n")
  return()
endif()

set(hypermesh_embed_script ${CMAKE_CURRENT_LIST_FILE})

function(hypermesh_embed_page target namespace function header folder)
  set(output ${PROJECT_BINARY_DIR}/generated/${function}_list.cpp)
  # A list as one word of a command line.
  list(JOIN ARGN "|" files)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D output=${output} -D namespace=${namespace} -D function=${function} -D header=${header}
            -D folder=${folder} -D "files=${files}" -P ${hypermesh_embed_script}
    DEPENDS ${ARGN} ${hypermesh_embed_script}
    COMMENT "Embed ${folder} of ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
