/* mediasoup's estimator as a follower (bwe/follower.h): RTC::TransportCongestionControlClient of
 * its worker, which is libwebrtc's (GoogCC) with a pacer for probes alone, driven as
 * RTC::Transport drives it; built from the worker's own objects by bench/bwe/run.
 *
 * Its clock, uv_hrtime, is ours (linked with --wrap), and so are its timers.  What it sends it does
 * not pace: a publisher's packets go on as they come.  Its estimate is read as it is; the worker
 * tells its consumers of it once a second, and of large changes at once.
 */
#include <cstdlib>

#include "RTC/RTCP/FeedbackRtpTransport.hpp"
#include "RTC/TransportCongestionControlClient.hpp"
#include "Settings.hpp"
#include "SharedInterface.hpp"

extern "C" {
#include "bwe/follower.h"
extern const struct follower_kind follower_mediasoup;
uint64_t __wrap_uv_hrtime(void);
}

static usec virtual_now;

uint64_t __wrap_uv_hrtime(void)
{
    return virtual_now * 1000;
}

namespace
{

constexpr int fires_max = 50; /* in a millisecond */

class timer : public TimerHandleInterface
{
  public:
    explicit timer(Listener *heard_by) : listener(heard_by)
    {
    }
    void Start(uint64_t timeout, uint64_t) override
    {
        due = virtual_now + timeout * USEC_MS;
        waits = timeout;
    }
    void Stop() override
    {
        due = USEC_NEVER;
    }
    void Restart() override
    {
        Start(waits, 0);
    }
    void Restart(uint64_t timeout, uint64_t) override
    {
        Start(timeout, 0);
    }
    uint64_t GetTimeout() const override
    {
        return waits;
    }
    uint64_t GetRepeat() const override
    {
        return 0;
    }
    bool IsActive() const override
    {
        return due != USEC_NEVER;
    }

    void fire()
    {
        for (int i = 0; i < fires_max && due <= virtual_now; i++) {
            due = USEC_NEVER;
            listener->OnTimer(this);
        }
    }

  private:
    Listener *listener;
    usec due = USEC_NEVER;
    uint64_t waits = 0;
};

class timers : public SharedInterface
{
  public:
    mutable timer *last = nullptr;

    Channel::ChannelMessageRegistratorInterface *GetChannelMessageRegistrator() const override
    {
        return nullptr;
    }
    Channel::ChannelNotifier *GetChannelNotifier() const override
    {
        return nullptr;
    }
    TimerHandleInterface *CreateTimer(TimerHandleInterface::Listener *listener) const override
    {
        return last = new timer(listener);
    }
    BackoffTimerHandleInterface *CreateBackoffTimer(
        const BackoffTimerHandleInterface::BackoffTimerHandleOptions &) const override
    {
        std::abort();
    }
};

} // namespace

struct follower : RTC::TransportCongestionControlClient::Listener {
    explicit follower(const follower_road *to)
        : road(*to), client(this, &clock, RTC::BweType::TRANSPORT_CC, FOLLOWER_START_BPS, 0, 0)
    {
        client.TransportConnected();
    }

    void OnTransportCongestionControlClientBitrates(
        RTC::TransportCongestionControlClient *,
        RTC::TransportCongestionControlClient::Bitrates &) override
    {
        client.SetDesiredBitrate(desired, false);
    }
    /* Padding, of a probe. */
    void
    OnTransportCongestionControlClientSendRtpPacket(RTC::TransportCongestionControlClient *,
                                                    RTC::RTP::Packet *packet,
                                                    const webrtc::PacedPacketInfo &pacing) override
    {
        send(packet->GetLength(), pacing, true);
    }

    void send(size_t length, const webrtc::PacedPacketInfo &pacing, bool is_padding)
    {
        webrtc::RtpPacketSendInfo info;
        info.ssrc = 1;
        info.transport_sequence_number = ++number;
        info.has_rtp_sequence_number = true;
        info.rtp_sequence_number = number;
        info.length = length;
        info.pacing_info = pacing;
        client.InsertPacket(info);
        road.put(road.to, virtual_now, number, length + FOLLOWER_TAG, is_padding);
        client.PacketSent(info, static_cast<int64_t>(virtual_now / USEC_MS));
    }

    follower_road road;
    timers clock;
    RTC::TransportCongestionControlClient client;
    uint16_t number = 0;
    uint32_t desired = 0;
};

static struct follower *open_it(usec now, const struct follower_road *road)
{
    virtual_now = now;
    Settings::configuration.logLevel = LogLevel::LOG_NONE;
    return new follower(road);
}

static void close_it(struct follower *follower)
{
    delete follower;
}

static void hear(struct follower *follower, usec now, struct view rtcp)
{
    virtual_now = now;
    while (rtcp.size >= 4) {
        size_t size = 4 * static_cast<size_t>((rtcp.at[2] << 8 | rtcp.at[3]) + 1);
        std::unique_ptr<RTC::RTCP::FeedbackRtpTransportPacket> packet(
            RTC::RTCP::FeedbackRtpTransportPacket::Parse(rtcp.at, size));
        if (!packet || size > rtcp.size)
            std::abort();
        follower->client.ReceiveRtcpTransportFeedback(packet.get());
        rtcp.at += size;
        rtcp.size -= size;
    }
}

static void turn(struct follower *follower, usec now)
{
    virtual_now = now;
    follower->clock.last->fire();
}

static bool waits(struct follower *, usec, uint32_t, usec)
{
    return true;
}

static bool may(struct follower *, usec)
{
    return true;
}

static void send_media(struct follower *follower, usec now, size_t size)
{
    virtual_now = now;
    follower->send(size - FOLLOWER_TAG, follower->client.GetPacingInfo(), false);
}

/* It asks what is desired once a second, and whenever it has changed its estimate by much; and is
 * told when the first of it comes. */
static void want(struct follower *follower, usec now, uint64_t, uint64_t most_bps)
{
    bool is_first = follower->desired == 0;
    virtual_now = now;
    follower->desired = static_cast<uint32_t>(most_bps);
    if (is_first)
        follower->client.SetDesiredBitrate(follower->desired, false);
}

static uint64_t estimate(struct follower *follower)
{
    uint32_t bps = follower->client.GetAvailableBitrate();
    return bps ? bps : FOLLOWER_START_BPS; /* 0: not told yet */
}

const struct follower_kind follower_mediasoup = {
    "mediasoup", open_it, close_it, hear, turn, waits, may, send_media, want, estimate,
};
