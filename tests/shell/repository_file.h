/* repository_file.h - files of the repository that tests hold to their word. */
#ifndef MOIM_TESTS_SHELL_REPOSITORY_FILE_H
#define MOIM_TESTS_SHELL_REPOSITORY_FILE_H

#include "support.h"

#include <unistd.h>

/* Reads a file beside meson.build into out.  This header's path begins at the build folder, where
 * the tests' folder is, or at the root. */
static inline void read_repository_file(const char *name, char *out, size_t size)
{
    char path[2048];
    ssize_t used = __FILE__[0] == '/' ? 0 : readlink("/proc/self/exe", path, 1024);
    assert_true(used >= 0);
    path[used] = '\0';
    if (used > 0) {
        *strrchr(path, '/') = '\0';
        *strrchr(path, '/') = '\0';
        strcat(path, "/");
    }
    strcat(path, __FILE__);
    *strstr(path, "tests/shell/repository_file.h") = '\0';
    strcat(path, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("can't open %s", path);
    size_t got = fread(out, 1, size - 1, file);
    fclose(file);
    assert_in_range(got, 1, size - 2);
    out[got] = '\0';
}

#endif
