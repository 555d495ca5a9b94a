#include "shell/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The inode of a socket on that port, from a table like /proc/net/tcp; 0: none. */
static unsigned long find_inode(const char *table, uint16_t port, enum listen_transport transport)
{
    char line[512];
    unsigned long found = 0;
    FILE *file = fopen(table, "re");
    if (!file)
        return 0;
    while (!found && fgets(line, sizeof(line), file)) {
        unsigned local;
        unsigned socket_state;
        unsigned long inode;
        if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
                   &local, &socket_state, &inode) == 3 &&
            local == port && (transport == LISTEN_UDP || socket_state == 10 /* TCP_LISTEN */))
            found = inode;
    }
    fclose(file);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300];
    char wanted[48];
    char link[48];
    bool found = false;
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    for (struct dirent *entry = readdir(folder); entry && !found; entry = readdir(folder)) {
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
        if (size > 0) {
            link[size] = '\0';
            found = strcmp(link, wanted) == 0;
        }
    }
    closedir(folder);
    return found;
}

static void name_process(const char *pid, char out[PORT_OWNER_SIZE])
{
    char path[300];
    char name[32] = "a process";
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(name, sizeof(name), file))
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    snprintf(out, PORT_OWNER_SIZE, "%s (pid %.16s)", name, pid);
}

bool port_owner_find(uint16_t port, enum listen_transport transport, char out[PORT_OWNER_SIZE])
{
    static const char *const tables[][2] = {
        [LISTEN_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
        [LISTEN_UDP] = { "/proc/net/udp", "/proc/net/udp6" },
    };
    bool found = false;
    unsigned long inode = find_inode(tables[transport][0], port, transport);
    if (!inode)
        inode = find_inode(tables[transport][1], port, transport);
    DIR *folder = inode ? opendir("/proc") : NULL;
    if (!folder)
        return false;
    for (struct dirent *entry = readdir(folder); entry && !found; entry = readdir(folder)) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, inode))
            continue;
        name_process(entry->d_name, out);
        found = true;
    }
    closedir(folder);
    return found;
}
