#include "shell/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void state_file_path(const struct settings *settings, const char *name, char out[STATE_PATH_SIZE])
{
    snprintf(out, STATE_PATH_SIZE, "%s/%s", settings->state_dir, name);
}

static int refuse(char *error, const char *path)
{
    snprintf(error, SETTINGS_ERROR_MAX, "state.dir: %.400s: %s", path, strerror(errno));
    return ERR_IO;
}

static bool write_all(int fd, struct view bytes)
{
    while (bytes.size > 0) {
        ssize_t wrote = write(fd, bytes.at, bytes.size);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            bytes = view_slice(bytes, (size_t)wrote, bytes.size);
    }
    return true;
}

int state_file_keep(const struct settings *settings, const char *name, struct view bytes,
                    char error[SETTINGS_ERROR_MAX])
{
    char path[STATE_PATH_SIZE];
    char beside[STATE_PATH_SIZE + 16];
    int status = ERR_IO;
    if (mkdir(settings->state_dir, 0700) != 0 && errno != EEXIST)
        return refuse(error, settings->state_dir);
    state_file_path(settings, name, path);
    snprintf(beside, sizeof(beside), "%s.XXXXXX", path);

    int fd = mkostemp(beside, O_CLOEXEC); /* makes it 0600 */
    if (fd < 0)
        return refuse(error, beside);
    if (!write_all(fd, bytes) || fsync(fd) != 0) {
        status = refuse(error, beside);
        close(fd);
        goto remove_file;
    }
    if (close(fd) != 0 || rename(beside, path) != 0) {
        status = refuse(error, path);
        goto remove_file;
    }
    return OK;

remove_file:
    unlink(beside);
    return status;
}
