#include "shell/connection.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RECORD_SIZE 16384
#define RUNS_MAX    32

struct connection_record {
    size_t size;
    uint8_t bytes[];
};

int connection_secure(struct connection *connection, struct ssl_ctx_st *tls)
{
    SSL *ssl = SSL_new(tls);
    if (!ssl)
        return ERR_MEMORY;
    if (SSL_set_fd(ssl, connection->fd) != 1) {
        SSL_free(ssl);
        return ERR_MEMORY;
    }
    SSL_set_accept_state(ssl);
    /* one message that is no data ends a read, lest a flood of them keep it for ever */
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    connection->ssl = ssl;
    return OK;
}

struct view connection_peek(const struct connection *connection, struct span into)
{
    struct view nothing = { NULL, 0 };
    if (connection->ssl && !SSL_in_before(connection->ssl))
        return nothing;
    ssize_t size = recv(connection->fd, into.at, into.size, MSG_PEEK);
    return size > 0 ? view_make(into.at, (size_t)size) : nothing;
}

void connection_give_up_tls(struct connection *connection)
{
    assert(!connection->ssl || SSL_in_before(connection->ssl));
    SSL_free(connection->ssl);
    connection->ssl = NULL;
}

/* Before each call of OpenSSL: what others have left in the queue of errors of this thread would be
 * taken for its own. */
static SSL *begin(const struct connection *connection)
{
    if (ERR_peek_error())
        ERR_clear_error();
    return connection->ssl;
}

/* What a failed call of OpenSSL means. */
static int ssl_status(struct connection *connection, int result)
{
    int reason = SSL_get_error(connection->ssl, result);
    if (reason == SSL_ERROR_WANT_READ)
        return ERR_AGAIN;
    if (reason == SSL_ERROR_WANT_WRITE) {
        connection->wants_write = true;
        return ERR_AGAIN;
    }
    return reason == SSL_ERROR_ZERO_RETURN ? ERR_CLOSED : ERR_IO;
}

int connection_handshake(struct connection *connection)
{
    connection->wants_write = false;
    connection->wants_only_write = false;
    int result = SSL_do_handshake(begin(connection));
    if (result == 1)
        return OK;
    int status = ssl_status(connection, result);
    connection->wants_only_write = connection->wants_write;
    return status == ERR_AGAIN ? ERR_AGAIN : ERR_IO;
}

static int read_plain(struct connection *connection, struct span into, size_t *size)
{
    ssize_t got = recv(connection->fd, into.at, into.size, 0);
    if (got > 0) {
        *size = (size_t)got;
        return OK;
    }
    if (got == 0)
        return ERR_CLOSED;
    return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : ERR_IO;
}

/* A read may have to answer the peer first, and a write to hear it out. */
static int read_tls(struct connection *connection, struct span into, size_t *size)
{
    bool wanted_write = connection->wants_write;
    connection->wants_write = false;
    int result = SSL_read_ex(begin(connection), into.at, into.size, size);
    int status = result == 1 ? OK : ssl_status(connection, result);
    connection->wants_only_write = connection->wants_write;
    connection->wants_write |= wanted_write || connection->record;
    return status;
}

int connection_read(struct connection *connection, struct span into, size_t *size)
{
    return connection->ssl ? read_tls(connection, into, size) : read_plain(connection, into, size);
}

static int write_plain(struct connection *connection, const struct view *runs, size_t run_count,
                       size_t *size)
{
    struct iovec vectors[RUNS_MAX];
    struct msghdr message = { .msg_iov = vectors };
    size_t wanted = 0;
    for (size_t i = 0; i < run_count && i < RUNS_MAX; i++) {
        vectors[i] = (struct iovec){ (void *)(uintptr_t)runs[i].at, runs[i].size };
        wanted += runs[i].size;
        message.msg_iovlen++;
    }
    ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return ERR_IO;
    *size = sent < 0 ? 0 : (size_t)sent;
    connection->wants_write = *size < wanted;
    return OK;
}

/* The next bytes of the runs from `from` on, as many as make a record. */
static size_t gather(const struct view *runs, size_t run_count, size_t from, bool is_apart,
                     uint8_t *record)
{
    size_t size = 0;
    for (size_t i = 0; i < run_count && size < (is_apart ? 1 : RECORD_SIZE); i++) {
        struct view run = view_slice(runs[i], from, RECORD_SIZE - size);
        from -= from < runs[i].size ? from : runs[i].size;
        if (run.size)
            memcpy(record + size, run.at, run.size);
        size += run.size;
    }
    return size;
}

/* OpenSSL has made a record of these bytes and wants to be given the same ones again, while the
 * server may drop what it has queued: so they count as taken, and are kept here. */
static int keep_record(struct connection *connection, const uint8_t *bytes, size_t size)
{
    connection->record = malloc(sizeof *connection->record + size);
    if (!connection->record)
        return ERR_IO;
    connection->record->size = size;
    memcpy(connection->record->bytes, bytes, size);
    return OK;
}

static int write_tls(struct connection *connection, const struct view *runs, size_t run_count,
                     size_t *size)
{
    *size = 0;
    for (;;) {
        uint8_t record[RECORD_SIZE];
        size_t written;
        size_t gathered = gather(runs, run_count, *size, connection->is_apart, record);
        if (gathered == 0)
            return OK;
        int result = SSL_write_ex(begin(connection), record, gathered, &written);
        if (result == 1) {
            *size += written;
            continue;
        }
        int status = ssl_status(connection, result);
        if (status != ERR_AGAIN || keep_record(connection, record, gathered) != OK)
            return ERR_IO;
        *size += gathered;
        return OK;
    }
}

int connection_write(struct connection *connection, const struct view *runs, size_t run_count,
                     size_t *size)
{
    *size = 0;
    if (!connection->ssl)
        return write_plain(connection, runs, run_count, size);
    int status = connection_flush(connection);
    if (status == OK)
        return write_tls(connection, runs, run_count, size);
    return status == ERR_AGAIN ? OK : status;
}

int connection_flush(struct connection *connection)
{
    struct connection_record *record = connection->record;
    size_t written;
    connection->wants_write = false;
    connection->wants_only_write = false;
    if (!record)
        return OK;
    int result = SSL_write_ex(begin(connection), record->bytes, record->size, &written);
    if (result != 1) {
        int status = ssl_status(connection, result);
        return status == ERR_AGAIN ? ERR_AGAIN : ERR_IO;
    }
    assert(written == record->size);
    free(record);
    connection->record = NULL;
    return OK;
}

int connection_finish(struct connection *connection)
{
    int status = connection_flush(connection);
    if (status != OK)
        return status;
    if (connection->ssl && SSL_is_init_finished(connection->ssl)) {
        int result = SSL_shutdown(begin(connection));
        if (result < 0 && ssl_status(connection, result) == ERR_AGAIN && connection->wants_write)
            return ERR_AGAIN;
    }
    connection->wants_write = false;
    return shutdown(connection->fd, SHUT_WR) == 0 ? OK : ERR_IO;
}

void connection_close(struct connection *connection)
{
    if (connection->fd < 0)
        return;
    SSL_free(connection->ssl);
    free(connection->record);
    close(connection->fd);
    *connection = (struct connection){ .fd = -1 };
}
