/* srtp.h - what mediasoup's worker calls of libsrtp 3, over libsrtp 2 (see ../mediasoup).
 *
 * The ciphers below are the same.  The newer one encrypts from one buffer into another, the older
 * one in place: so a copy of the packet comes before it, some 30 ns (estimated) that are not the
 * worker's own.
 */
#ifndef MOIM_BENCH_SFU_WORKER_SRTP_H
#define MOIM_BENCH_SFU_WORKER_SRTP_H

#include <cstdint>
#include <cstring>
#include <srtp2/srtp.h>

constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
constexpr auto srtp_err_status_cryptex_err = static_cast<srtp_err_status_t>(29);

using bench_srtp_call = srtp_err_status_t (*)(srtp_t, void *, int *);

inline srtp_err_status_t bench_srtp_copy(bench_srtp_call call, srtp_t session, const uint8_t *in,
                                         size_t in_size, uint8_t *out, size_t *out_size)
{
    int size = static_cast<int>(in_size);
    if (out != in)
        std::memcpy(out, in, in_size);
    srtp_err_status_t status = call(session, out, &size);
    *out_size = static_cast<size_t>(size);
    return status;
}

inline srtp_err_status_t srtp_protect(srtp_t session, const uint8_t *in, size_t in_size,
                                      uint8_t *out, size_t *out_size, size_t)
{
    return bench_srtp_copy(srtp_protect, session, in, in_size, out, out_size);
}

inline srtp_err_status_t srtp_protect_rtcp(srtp_t session, const uint8_t *in, size_t in_size,
                                           uint8_t *out, size_t *out_size, size_t)
{
    return bench_srtp_copy(srtp_protect_rtcp, session, in, in_size, out, out_size);
}

inline srtp_err_status_t srtp_unprotect(srtp_t session, const uint8_t *in, size_t in_size,
                                        uint8_t *out, size_t *out_size)
{
    return bench_srtp_copy(srtp_unprotect, session, in, in_size, out, out_size);
}

inline srtp_err_status_t srtp_unprotect_rtcp(srtp_t session, const uint8_t *in, size_t in_size,
                                             uint8_t *out, size_t *out_size)
{
    return bench_srtp_copy(srtp_unprotect_rtcp, session, in, in_size, out, out_size);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, unsigned int ssrc)
{
    return srtp_remove_stream(session, ssrc);
}

#endif
