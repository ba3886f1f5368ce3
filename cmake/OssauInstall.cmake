# What other programs link: every room but the command line, under the one name ossau::ossau.
set(OSSAU_INSTALLED_ROOMS)
foreach(room build_identity core arith config text data backend comm solve train report)
  list(APPEND OSSAU_INSTALLED_ROOMS ossau_${room})
  set_target_properties(ossau_${room} PROPERTIES EXPORT_NAME ${room})
endforeach()

add_library(ossau_library INTERFACE)
set_target_properties(ossau_library PROPERTIES EXPORT_NAME ossau)
target_link_libraries(ossau_library INTERFACE ${OSSAU_INSTALLED_ROOMS} ossau_flags)
add_library(ossau::ossau ALIAS ossau_library)

include(CMakePackageConfigHelpers)
set(OSSAU_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ossau)

install(TARGETS ossau_library ossau_flags ${OSSAU_INSTALLED_ROOMS} EXPORT ossau-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ossau RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ossau DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT ossau-targets NAMESPACE ossau:: DESTINATION ${OSSAU_CMAKE_DIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ossau-config.cmake.in
  ${PROJECT_BINARY_DIR}/ossau-config.cmake INSTALL_DESTINATION ${OSSAU_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ossau-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ossau-config.cmake
              ${PROJECT_BINARY_DIR}/ossau-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/OssauDependencies.cmake
        DESTINATION ${OSSAU_CMAKE_DIR})
