# One static library a folder, one test program a folder, the same flags for all.

function(stravinsky_house_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Wunused-result -Werror
    -fstack-protector-strong)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of GCC 12 on std::string and std::expected under optimisation.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  if(STRAVINSKY_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${STRAVINSKY_SANITIZE}
      -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${STRAVINSKY_SANITIZE})
  endif()
  if(STRAVINSKY_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
  endif()
  if(STRAVINSKY_FAULT_POINTS)
    target_compile_definitions(${target} PRIVATE STRAVINSKY_FAULT_POINTS)
  endif()
endfunction()

function(stravinsky_library folder)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  add_library(stravinsky_${folder} STATIC ${sources})
  target_include_directories(stravinsky_${folder} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(stravinsky_${folder} PUBLIC ${ARG_DEPS})
  stravinsky_house_flags(stravinsky_${folder})
endfunction()

# Compiles a data file of a folder into its library, by NAME_text.cc.in beside it.
function(stravinsky_embed folder file)
  set(source ${PROJECT_SOURCE_DIR}/src/${folder}/${file})
  get_filename_component(name ${file} NAME_WE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} EMBEDDED_TEXT)
  configure_file(${PROJECT_SOURCE_DIR}/src/${folder}/${name}_text.cc.in
                 ${PROJECT_BINARY_DIR}/embedded/${name}_text.cc @ONLY)
  target_sources(stravinsky_${folder} PRIVATE ${PROJECT_BINARY_DIR}/embedded/${name}_text.cc)
endfunction()

# The tests of a folder stand beside its code as NAME_test.cc.
function(stravinsky_folder_test folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*_test.cc)
  if(sources)
    add_executable(${folder}_test ${sources})
    target_link_libraries(${folder}_test PRIVATE stravinsky_${folder} stravinsky_testing
                          GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${folder}_test PRIVATE STRAVINSKY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    stravinsky_house_flags(${folder}_test)
    add_test(NAME ${folder} COMMAND ${folder}_test)
  endif()
endfunction()
